import ConnectorKit
import JSON
import Moonraker
import Testing

@Suite("Commands as Moonraker's calls") struct CommandCallTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var command: PrinterCommand
    var method: String
    var params: JSONObject?
    var testDescription: String { command.kind.rawValue }

    init(_ command: PrinterCommand, _ method: String, _ params: JSONObject? = nil) {
      self.command = command
      self.method = method
      self.params = params
    }

    init(_ command: PrinterCommand, script: String) {
      self.init(command, "printer.gcode.script", ["script": .string(script)])
    }
  }

  private static func arguments(_ pairs: (String, String)...) -> [PrinterCommand.MacroArgument] {
    pairs.compactMap { PrinterCommand.MacroArgument($0.0, $0.1) }
  }

  static let odd = GCodePath("a b/\"quoted\";M112 ä.gcode")
  static let rows: [Row] = [
    Row(.pause, "printer.print.pause"),
    Row(.resume, "printer.print.resume"),
    Row(.cancel, "printer.print.cancel"),
    Row(.emergencyStop, "printer.emergency_stop"),
    Row(.home([]), script: "G28"),
    Row(.home([.y, .x]), script: "G28 Y X"),
    Row(.gcode("G90\nG1 X5"), script: "G90\nG1 X5"),
    Row(.macro("LOAD", []), script: "LOAD"),
    Row(
      .macro(
        "LOAD", arguments(("length", "50"), ("text", #"it's C:\"#))),
      script: #"LOAD LENGTH="50" TEXT="it's C:\\""#),
    Row(.macro("M600", arguments(("x", "-5.5"))), script: "M600 X-5.5"),
    Row(.temperature(heater: "extruder", celsius: 210), script: "M104 T0 S210"),
    Row(.temperature(heater: "extruder", celsius: 0), script: "M104 T0 S0"),
    Row(.temperature(heater: "heater_bed", celsius: 60.5), script: "M140 S60.5"),
    Row(.temperature(heater: "heater_bed", celsius: 60.049), script: "M140 S60.05"),
    Row(
      .temperature(heater: "extruder1", celsius: 199.999),
      script: "SET_HEATER_TEMPERATURE HEATER=extruder1 TARGET=200"),
    Row(
      .temperature(heater: "heater_generic chamber", celsius: 45),
      script: "SET_HEATER_TEMPERATURE HEATER=chamber TARGET=45"),
    Row(.fan(0), script: "M106 S0"),
    Row(.fan(0.5), script: "M106 S128"),
    Row(.fan(1), script: "M106 S255"),
    Row(.speed(percent: 120), script: "M220 S120"),
    Row(.flow(percent: 95), script: "M221 S95"),
    Row(.listFiles, "server.files.list", ["root": "gcodes"]),
    Row(.history(limit: 20), "server.history.list", ["limit": 20, "order": "desc"]),
    Row(.history(limit: .min), "server.history.list", ["limit": 1, "order": "desc"]),
    Row(.restart(.klipper), "printer.restart"),
    Row(.restart(.firmware), "printer.firmware_restart"),
    Row(.reboot, "machine.reboot"),
    Row(.shutdownHost, "machine.shutdown"),
    Row(
      .power(device: "a \"lamp\"\nG28", isOn: true), "machine.device_power.post_device",
      ["device": "a \"lamp\"\nG28", "action": "on"]),
    Row(
      .power(device: "lamp", isOn: false), "machine.device_power.post_device",
      ["device": "lamp", "action": "off"]),
    Row(
      .query(request("server.history.job", .get, ["uid": "1"])), "server.history.get_job",
      ["uid": "1"]),
    Row(.query(request("server.info", .get)), "server.info"),
    Row(
      .query(request("machine.update.status", .get, ["refresh": "true"])), "machine.update.status"),
    Row(.raw(request("machine.update.full", .post)), "machine.update.full"),
    Row(
      .raw(request("server.webcams.item", .delete, ["name": "a"])), "server.webcams.delete_item",
      ["name": "a"]),
    Row(.startQueue, "server.job_queue.start"),
    Row(.queue(.pause), "server.job_queue.pause"),
    Row(.queue(.clear), "server.job_queue.delete_job", ["all": true]),
    Row(.queue(.remove(["1", "2"])), "server.job_queue.delete_job", ["job_ids": ["1", "2"]]),
    Row(.queue(.first("2")), "server.job_queue.jump", ["job_id": "2"]),
  ]

  private static func request(
    _ path: String, _ method: MoonrakerRequest.Method, _ body: JSONObject = [:]
  ) -> MoonrakerRequest {
    guard
      let request = MoonrakerRequest(
        parts: path.split(separator: ".").map(String.init), method: method, body: body)
    else { preconditionFailure("\(path) is no path") }
    return request
  }

  @Test("each command is one call", arguments: rows) func call(row: Row) throws {
    let call = try CommandCall(row.command)
    #expect(call.method == row.method)
    #expect(call.params == row.params)
  }

  @Test("a file's name is a JSON parameter to the letter, never G-code") func filenames() throws {
    let path = try #require(Self.odd)
    let start = try CommandCall(.start(path, .person))
    #expect(start.method == "printer.print.start")
    #expect(start.params == ["filename": .string(path.text)])
    let delete = try CommandCall(.deleteFile(path))
    #expect(delete.method == "server.files.delete_file")
    #expect(delete.params == ["path": .string("gcodes/" + path.text)])
  }

  @Test(
    "what cannot be said to Klipper is invalid",
    arguments: [
      PrinterCommand.macro("LOAD\nG28", []), .macro("", []), .macro("LOAD ME", []),
      .macro("M600", arguments(("text", "5"))),
      .macro("M600", arguments(("x", "5 G28"))),
      .macro("M600", arguments(("x", "-"))),
      .macro("M600", arguments(("x", "1.2.3"))),
      .temperature(heater: "extruder", celsius: .nan),
      .temperature(heater: "extruder", celsius: .infinity),
      .temperature(heater: "extruder", celsius: -1),
      .temperature(heater: "extruder", celsius: 1_000.5),
      .temperature(heater: "extruder TARGET=900", celsius: 20),
      .temperature(heater: "x\nG28", celsius: 20),
      .temperature(heater: "heater_generic ", celsius: 20),
      .temperature(heater: "", celsius: 20),
      .fan(.nan), .fan(-0.01), .fan(1.01),
      .speed(percent: 0), .speed(percent: .max), .flow(percent: .min),
      .backup,
    ])
  func invalid(command: PrinterCommand) {
    #expect { try CommandCall(command) } throws: {
      ($0 as? CommandFailure)?.reason == .invalid
    }
  }

  @Test("every kind is either a call or known to be none") func everyKind() {
    let kinds = Set(Self.rows.map(\.command.kind)).union([.start, .deleteFile, .upload, .backup])
    #expect(kinds == Set(PrinterCommand.Kind.allCases))
  }
}
