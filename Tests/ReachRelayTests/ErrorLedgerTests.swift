import ConnectorKit
import JSON
import Platform
import Testing

@testable import ReachRelay

@Suite("Reach errors") struct ErrorLedgerTests {
  private static func later(_ seconds: Int64) -> MonotonicInstant {
    PrinterStatus.start.advanced(by: .seconds(seconds))
  }
  private static func wall(_ seconds: Int64) -> WallTime {
    WallTime(millisecondsSinceEpoch: 1_795_162_973_000 + seconds * 1_000)
  }

  @Test("A Moonraker that is away for more than 30 s is an error since it went")
  func moonrakerAway() {
    var ledger = ErrorLedger()
    let status = PrinterStatus.away(since: PrinterStatus.start)
    #expect(ledger.entries(status, now: Self.later(30), wallTime: Self.wall(30)).isEmpty)
    let expected: JSONValue = [
      "type": "moonraker", "message": "Moonraker is not reachable", "timestamp": 1_795_162_973_000,
      "severity": "error",
    ]
    #expect(ledger.entries(status, now: Self.later(31), wallTime: Self.wall(31)) == [expected])
    // The host's clock steps; the condition began when it began.
    #expect(ledger.entries(status, now: Self.later(40), wallTime: Self.wall(9_999)) == [expected])
  }

  @Test("A stopped Klippy is an error with its own words, at once and as long as it lasts")
  func klippyStopped() {
    var ledger = ErrorLedger()
    var status = PrinterStatus.ready("printing")
    status.klippy = .shutdown
    status.klippyMessage = String(repeating: "x", count: 600)
    let first = ledger.entries(status, now: Self.later(5), wallTime: Self.wall(5))
    #expect(first.first?["type"] == "klippy")
    #expect(first.first?["message"]?.string?.count == 500)
    #expect(first.first?["timestamp"]?.integer == Self.wall(5).millisecondsSinceEpoch)
    #expect(ledger.entries(status, now: Self.later(60), wallTime: Self.wall(60)) == first)
    status.klippy = .ready
    #expect(ledger.entries(status, now: Self.later(61), wallTime: Self.wall(61)).isEmpty)
    status.klippy = .shutdown
    let again = ledger.entries(status, now: Self.later(70), wallTime: Self.wall(70))
    #expect(again.first?["timestamp"]?.integer == Self.wall(70).millisecondsSinceEpoch)
  }

  @Test("A long message is cut to 500 code points, however many letters they make")
  func longMessage() {
    var ledger = ErrorLedger()
    var status = PrinterStatus.ready("printing")
    status.klippy = .error
    status.klippyMessage = String(repeating: "e\u{301}", count: 400)
    let entry = ledger.entries(status, now: Self.later(5), wallTime: Self.wall(5)).first
    #expect(entry?["message"]?.string?.unicodeScalars.count == 500)
  }

  @Test("A Klippy that does not come back is a warning after 30 s")
  func klippyMissing() {
    var ledger = ErrorLedger()
    var status = PrinterStatus.away()
    status.link = .connected
    status.klippy = .startup
    #expect(ledger.entries(status, now: Self.later(0), wallTime: Self.wall(0)).isEmpty)
    let entries = ledger.entries(status, now: Self.later(31), wallTime: Self.wall(31))
    #expect(entries.first?["severity"] == "warning")
    #expect(entries.first?["message"] == "Klipper is still starting")
    #expect(entries.first?["timestamp"]?.integer == Self.wall(0).millisecondsSinceEpoch)
  }

  @Test("A failed print is an error with Klipper's words, or some where it has none")
  func printFailed() {
    var ledger = ErrorLedger()
    var status = PrinterStatus.ready("error")
    #expect(
      ledger.entries(status, now: Self.later(0), wallTime: Self.wall(0)).first?["message"]
        == "The print failed")
    status.objects["print_stats"]?["message"] = "Extrude below minimum temp"
    let entry = ledger.entries(status, now: Self.later(1), wallTime: Self.wall(1)).first
    #expect(entry?["message"] == "Extrude below minimum temp")
    #expect(entry?["type"] == "print")
    #expect(entry?["timestamp"]?.integer == Self.wall(0).millisecondsSinceEpoch)
  }
}
