import ConnectorKit
import JSON
import Testing

@testable import ReachRelay

@Suite("Reach: what is pushed") struct CommandResultTests {
  private let command = RelayCommand(id: "r", name: "printer.print.start", params: [:])

  private func body(
    _ order: PrinterCommand, _ outcome: CommandOutcome, absence: String? = nil
  ) -> JSONObject {
    CommandResult(of: command, order, outcome, absence: absence).body
  }

  private func failed(_ problem: String, _ code: String) -> JSONObject {
    [
      "requestId": "r", "status": "failed", "error": .string(problem),
      "result": ["error": .string(problem), "errorCode": .string(code)],
    ]
  }

  @Test("What was done is told in Moonraker's words")
  func done() throws {
    func completed(_ answer: JSONValue) -> JSONObject {
      ["requestId": "r", "status": "completed", "result": ["result": answer]]
    }
    #expect(body(.pause, .done()) == completed("ok"))
    #expect(body(.restart(.firmware), .done()) == completed("ok"))
    #expect(body(.gcode("M117"), .done()) == completed("accepted"))
    #expect(
      body(.startQueue, .done(["queue_state": "loading"])) == completed(["queue_state": "loading"]))
    #expect(body(.listFiles, .done([1])) == completed([1]))
    #expect(body(.power(device: "psu", isOn: false), .done()) == completed(["psu": "off"]))
    let path = try #require(GCodePath("a.gcode"))
    #expect(
      body(.deleteFile(path), .done())
        == completed(
          ["item": ["path": "a.gcode", "root": "gcodes"], "action": "delete_file"]))
  }

  @Test(
    "What was not done says why",
    arguments: [
      (
        CommandOutcome(.refused, .notPermitted, "its permissions do not hold start"),
        "command not allowed: printer.print.start", "forbidden"
      ),
      (
        CommandOutcome(.failed, .printerRefused, "Unable to open file", code: 400),
        "HTTP Error 400: Unable to open file", "moonraker_error"
      ),
      (
        CommandOutcome(.failed, .printerRefused, "Method not found", code: -32601),
        "HTTP Error 404: Not Found", "moonraker_error"
      ),
      (
        CommandOutcome(.failed, .printerRefused, "Metadata not available", code: -32601),
        "HTTP Error 404: Metadata not available", "moonraker_error"
      ),
      (
        CommandOutcome(.failed, .printerRefused, "Unauthorized", code: -32602),
        "HTTP Error 401: Unauthorized", "moonraker_error"
      ),
      (
        CommandOutcome(.failed, .printerRefused, "Invalid params: x", code: -32602),
        "HTTP Error 400: Invalid params: x", "moonraker_error"
      ),
      (
        CommandOutcome(.unknown, .printerRefused, "division by zero", code: -32603),
        "HTTP Error 500: division by zero", "moonraker_error"
      ),
      (
        CommandOutcome(.failed, .notConnected, "the printer does not tell its state"),
        "the printer does not tell its state", "moonraker_error"
      ),
      (
        CommandOutcome(.failed, .notConnected, "Klippy Host not connected", code: -32601),
        "HTTP Error 404: Not Found", "moonraker_error"
      ),
      (
        CommandOutcome(.unknown, .notConnected, "Klippy Host not connected", code: 503),
        "HTTP Error 503: Klippy Host not connected", "moonraker_error"
      ),
      (
        CommandOutcome(.refused, .wrongState, "nothing is being printed"),
        "nothing is being printed", "wrong_state"
      ),
      (
        CommandOutcome.interrupted, "interrupted by a restart, outcome unknown", "interrupted"
      ),
      (CommandOutcome(.refused, .stale), "stale", "stale"),
    ])
  func notDone(outcome: CommandOutcome, problem: String, code: String) {
    #expect(body(.resume, outcome) == failed(problem, code))
  }

  @Test("Without Moonraker that is what is told")
  func unlinked() {
    #expect(
      body(
        .pause, CommandOutcome(.refused, .notConnected, "x"), absence: "Moonraker is not reachable")
        == failed("Moonraker is not reachable", "moonraker_error"))
  }

  @Test("A push of more than 1 MiB becomes a short failure; one below goes as it is")
  func size() {
    for (size, isKept) in [(1_000_000, true), (1_048_576, false), (3_000_000, false)] {
      let answer = JSONValue.string(String(repeating: "x", count: size))
      let result = CommandResult.completed("r", ["result": answer])
      let body = RelayBodies.push(printerID: "printer-001", result.owed().body)
      #expect(JSONValue.object(body).serialized().count <= CommandResult.largest)
      #expect((body["status"] == "completed") == isKept)
      #expect(isKept || body["error"] == "response too large")
    }
  }

  @Test("The relay's id is the key: one result for each")
  func key() {
    #expect(CommandResult.failed("r", "x", .gate(.busy)).owed().key == "r")
  }
}
