import ConnectorKit
import Platform
import Testing

@testable import ConnectorHost

@Suite("Gate: freshness") struct GateFreshnessTests {
  private static func second(_ seconds: Int) -> MonotonicInstant {
    MonotonicInstant(sinceOrigin: .seconds(seconds))
  }

  /// At second 1,000; the limit is 120 s.
  private static func isFresh(
    _ kind: PrinterCommand.Kind, age: Duration? = nil, previous: Int?, job: JobStart? = nil,
    waited: Int = 0
  ) -> Bool {
    let contact = CommandContact(
      backend: "a", at: second(1_000), previous: previous.map { second($0) })
    do throws(CommandFailure) {
      try Freshness.check(
        kind, age: age, in: contact, at: second(1_000 + waited), maximumAge: .seconds(120), job: job
      )
      return true
    } catch {
      return error.reason != .stale
    }
  }

  @Test("What moves or heats must be fresh, nothing else", arguments: PrinterCommand.Kind.allCases)
  func kinds(kind: PrinterCommand.Kind) {
    let moves = kind.movesOrHeats
    #expect(Self.isFresh(kind, previous: 880))
    #expect(Self.isFresh(kind, previous: 879) == !moves)
    #expect(Self.isFresh(kind, previous: nil) == !moves)
    #expect(Self.isFresh(kind, age: .seconds(120), previous: nil))
    #expect(Self.isFresh(kind, age: .seconds(121), previous: 999) == !moves)
    #expect(Self.isFresh(kind, age: .seconds(-5), previous: nil))
    #expect(Self.isFresh(kind, age: .seconds(-121), previous: nil) == !moves)
    #expect(Self.isFresh(kind, previous: 999, waited: 120))
    #expect(Self.isFresh(kind, previous: 999, waited: 121) == !moves)
    #expect(Self.isFresh(kind, age: .seconds(100), previous: 999, waited: 21) == !moves)
  }

  @Test("The list of what must be fresh is the documented one")
  func list() {
    #expect(
      Set(PrinterCommand.Kind.allCases.filter(\.movesOrHeats)) == [
        .start, .resume, .home, .temperature, .gcode, .macro, .restart, .reboot, .power,
        .startQueue, .raw,
      ])
  }

  @Test(
    "A late pause or cancel acts only on a job that ran before the gap",
    arguments: [
      // previous contact, job not before, acts
      (Int?(500), Int?(400), true), (500, 500, true), (500, 501, false), (500, nil, true),
      (nil, nil, true), (nil, 400, false), (950, 960, true),
    ])
  func latePause(previous: Int?, notBefore: Int?, acts: Bool) {
    let job = JobStart(notBefore: notBefore.map { Self.second($0) })
    for kind in [PrinterCommand.Kind.pause, .cancel] {
      #expect(Self.isFresh(kind, previous: previous, job: job) == acts)
      // Without a job there is nothing to protect; the state check says the rest.
      #expect(Self.isFresh(kind, previous: previous, job: nil))
      #expect(Self.isFresh(.emergencyStop, previous: previous, job: job))
    }
  }

  @Test("Where the wire says its age, that is when the pause was meant")
  func agedPause() {
    let job = JobStart(notBefore: Self.second(700))
    #expect(Self.isFresh(.pause, age: .seconds(300), previous: nil, job: job))
    #expect(!Self.isFresh(.pause, age: .seconds(301), previous: 999, job: job))
    #expect(Self.isFresh(.pause, age: .seconds(100), previous: nil, job: job))
    let later = JobStart(notBefore: Self.second(1_001))
    #expect(
      Self.isFresh(.pause, previous: 999, job: later, waited: 121),
      "it has waited for the start that it means")
  }
}
