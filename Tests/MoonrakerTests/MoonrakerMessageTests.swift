import ConnectorKit
import Moonraker
import Testing

@Suite("Moonraker's words") struct MoonrakerMessageTests {
  @Test(
    "become one line without folders and without traces",
    arguments: [
      ("Unable to open file", "Unable to open file"),
      (
        "Lost communication with MCU 'mcu'\nOnce the issue is corrected,\r\nuse RESTART\n",
        "Lost communication with MCU 'mcu' Once the issue is corrected, use RESTART"
      ),
      (
        "Traceback (most recent call last):\n  File \"/home/pi/x.py\", line 3\nValueError: bad\n\n",
        "ValueError: bad"
      ),
      ("Directory does not exist (/home/pi/gcodes/x)", "Directory does not exist (x)"),
      ("Cannot write to path: '/home/pi/a.gcode'", "Cannot write to path: 'a.gcode'"),
      ("24/7 and/or /x stay", "24/7 and/or /x stay"),
      ("a\u{1B}[31m\tb\u{202E}c", "a [31m b c"), ("", ""), (" \n ", ""),
    ])
  func cleaned(text: String, expected: String) {
    #expect(MoonrakerMessage.forPeople(text) == expected)
  }

  @Test("are 500 characters at most") func bounded() {
    #expect(MoonrakerMessage.forPeople(String(repeating: "ä", count: 9_999)).count == 500)
  }

  struct Row: Sendable, CustomTestStringConvertible {
    var failure: RPCFailure
    var method = "printer.gcode.script"
    var reason: CommandOutcome.Reason
    var message: String
    var mayHaveHappened = false
    var code: Int?
    var testDescription: String { "\(failure) of \(method)" }
  }

  @Test(
    "say whether it may have happened",
    arguments: [
      Row(
        failure: .refused(code: 400, message: "Must home axis first"), reason: .printerRefused,
        message: "Must home axis first", code: 400),
      Row(
        failure: .refused(code: 503, message: "Klippy Host not connected"),
        reason: .notConnected, message: "Klippy Host not connected", code: 503),
      Row(
        failure: .refused(code: 503, message: "Klippy Disconnected"), reason: .notConnected,
        message: "Klippy Disconnected", mayHaveHappened: true, code: 503),
      Row(
        failure: .refused(code: -32601, message: "Method not found"), reason: .notConnected,
        message: "Klippy Host not connected", code: -32601),
      Row(
        failure: .refused(code: -32601, message: "Invalid file path: x"),
        method: "server.files.delete_file", reason: .printerRefused,
        message: "Invalid file path: x", code: -32601),
      Row(
        failure: .refused(code: 500, message: ""), reason: .printerRefused,
        message: "refused without a reason", mayHaveHappened: true, code: 500),
      Row(
        failure: .notSent("away: refused"), reason: .notConnected,
        message: "Moonraker is not connected: away: refused"),
      Row(
        failure: .connectionLost("1001"), reason: .interrupted,
        message: "the connection to Moonraker was lost: 1001", mayHaveHappened: true),
      Row(
        failure: .timedOut, reason: .timeout, message: "no answer from Moonraker in time",
        mayHaveHappened: true),
      Row(failure: .cancelled, reason: .interrupted, message: "interrupted", mayHaveHappened: true),
    ])
  func failures(row: Row) {
    let changing = CommandFailure(row.failure, of: row.method, isRead: false)
    #expect(changing.reason == row.reason)
    #expect(changing.message == row.message)
    #expect(changing.mayHaveHappened == row.mayHaveHappened)
    #expect(changing.code == row.code)
    #expect(!CommandFailure(row.failure, of: row.method, isRead: true).mayHaveHappened)
  }
}
