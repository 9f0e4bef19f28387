import ConnectorKit
import Testing

/// What is expected of one command of one connector's wire, written by hand from the documentation: nothing here is
/// taken from the program's own tables.
///
/// A new connector needs a row for each command that its descriptor declares, and nothing else.
struct PermissionExpectation: Sendable, CustomTestStringConvertible {
  /// The connector's `type`, and the command's name on its wire.
  var type: String
  var wireName: String
  /// What the connector makes of it.
  var command: PrinterCommand
  /// The lowest level at which it is allowed, nil: never.
  var from: String?
  /// The names that a list must hold: one of each element, whose alternatives are divided by `|`.
  var needs: [String]
  /// What else stands in the entry.
  var allowedMacros: [String] = []
  var allowedPatterns: [String] = []
  /// The printer's state in which the command makes sense.
  var state = "standby"

  var testDescription: String { "\(type) \(wireName): \(command)" }

  /// Whether a list with these names allows it.
  func isAllowed(_ names: Set<String>) -> Bool {
    from != nil
      && needs.allSatisfy { $0.split(separator: "|").contains { names.contains(String($0)) } }
  }
}

extension PermissionExpectation {
  /// The levels with all that each allows.
  static let levels: KeyValuePairs<String, Set<String>> = [
    "monitor": monitor, "control": control, "print": print,
    "full": print.union([
      "macro.any", "gcode.any", "files.delete_any", "backup", "power", "restart", "reboot",
      "shutdown", "raw",
    ]),
  ]
  private static let monitor: Set<String> = ["status", "camera", "files.list", "history"]
  private static let control = monitor.union(["pause", "resume", "cancel", "emergency_stop"])
  private static let print = control.union([
    "upload", "start", "files.delete_own", "home", "temperature", "fan", "speed", "flow", "queue",
    "gcode", "macro",
  ])

  static let rows: [PermissionExpectation] = printdock + reach + phpHub + polar + cura + scripted

  private static let printdock: [PermissionExpectation] = [
    row("printdock", "pause", .pause, "control", ["pause"], state: "printing"),
    row("printdock", "resume", .resume, "control", ["resume"], state: "paused"),
    row("printdock", "cancel", .cancel, "control", ["cancel"], state: "printing"),
    row("printdock", "start_print", .start(.of("a.gcode"), .person), "print", ["start"]),
    row("printdock", "homing", .home([.x]), "print", ["home"]),
    row("printdock", "upload_file", .upload(.of("a.gcode")), "print", ["upload"]),
    row(
      "printdock", "delete_file", .deleteFile(.of("a.gcode")), "print",
      ["files.delete_own|files.delete_any"]),
    row("printdock", "sync_files", .listFiles, "monitor", ["files.list"]),
    row("printdock", "import_history", .history(limit: 50), "monitor", ["history"]),
    row("printdock", "create_backup", .backup, "full", ["backup"]),
  ]

  private static let reach: [PermissionExpectation] = [
    row("reach", "printer.objects.query", look("printer.objects.query"), "monitor", ["status"]),
    row("reach", "printer.objects.query", look("machine.proc_stats"), "monitor", ["status"]),
    row("reach", "printer.objects.query", look("server.history.reset_totals"), nil, []),
    row("reach", "server.files.list", look("server.files.list"), "monitor", ["files.list"]),
    row("reach", "server.history.list", look("server.history.list"), "monitor", ["history"]),
    row("reach", "server.webcams.list", look("server.webcams.list"), "monitor", ["camera"]),
    row("reach", "printer.print.pause", .pause, "control", ["pause"], state: "printing"),
    row("reach", "printer.print.resume", .resume, "control", ["resume"], state: "paused"),
    row("reach", "printer.print.cancel", .cancel, "control", ["cancel"], state: "printing"),
    row("reach", "printer.emergency_stop", .emergencyStop, "control", ["emergency_stop"]),
    row("reach", "printer.print.start", .start(.of("a.gcode"), .person), "print", ["start"]),
    row("reach", "printer.gcode.script", .gcode("G28"), "print", [gcode, "home"]),
    row("reach", "server.job_queue.job", .queue(.clear), "print", ["queue"]),
    row("reach", "server.job_queue.start", .startQueue, "print", ["start"]),
    row(
      "reach", "server.files.gcodes.NAME", .deleteFile(.of("a.gcode")), "print",
      ["files.delete_own|files.delete_any"]),
    row("reach", "printer.restart", .restart(.klipper), "full", ["restart"]),
    row("reach", "printer.firmware_restart", .restart(.firmware), "full", ["restart"]),
    row("reach", "machine.reboot", .reboot, "full", ["reboot"]),
    row("reach", "machine.shutdown", .shutdownHost, "full", ["shutdown"]),
    row(
      "reach", "machine.device_power.device", .power(device: "psu", isOn: false), "full", ["power"]),
    row("reach", "machine.services.restart", raw("machine.services.restart"), "full", ["restart"]),
    row("reach", "machine.services.stop", raw("machine.services.stop"), "full", ["shutdown"]),
    row("reach", "machine.update.full", raw("machine.update.full"), "full", ["raw"]),
    row("reach", "machine.wled.on", raw("machine.wled.on"), "full", ["raw"]),
    row("reach", "machine.wled.on", raw("server.database.item"), nil, []),
    row("reach", "machine.wled.on", raw("printer.print.start"), nil, []),
    row("reach", "machine.wled.on", raw("access.user"), nil, []),
  ]

  private static let phpHub: [PermissionExpectation] = [
    row("php-hub", "home", .home([]), "print", ["home"]),
    row(
      "php-hub", "heat", .temperature(heater: "extruder", celsius: 200), "print", ["temperature"]),
    row("php-hub", "pause", .pause, "control", ["pause"], state: "printing"),
    row("php-hub", "resume", .resume, "control", ["resume"], state: "paused"),
    row("php-hub", "cancel", .cancel, "control", ["cancel"], state: "printing"),
    row("php-hub", "emergency_stop", .emergencyStop, "control", ["emergency_stop"]),
    row("php-hub", "print", .start(.of("printerhub/a.gcode"), .person), "print", ["start"]),
    row("php-hub", "print_local", .start(.of("a.gcode"), .person), "print", ["start"]),
    row("php-hub", "set_speed", .speed(percent: 120), "print", ["speed"]),
    row("php-hub", "set_flow", .flow(percent: 100), "print", ["flow"]),
    row("php-hub", "set_fan", .fan(1), "print", ["fan"]),
    row("php-hub", "gcode", .gcode("G28"), "print", [gcode, "home"]),
    row("php-hub", "gcode", .gcode("M112"), nil, []),
    row("php-hub", "macro", .macro("PARK", []), "full", ["macro.any"]),
    row("php-hub", "macro", .macro("PARK", []), "print", ["macro|macro.any"], macros: ["PARK"]),
    row("php-hub", "firmware_restart", .restart(.firmware), "full", ["restart"]),
    row("php-hub", "reboot", .reboot, "full", ["reboot"]),
    row("php-hub", "shutdown", .shutdownHost, "full", ["shutdown"]),
  ]

  /// `print` brings its file: what a list needs for that, the integration tests show.
  private static let polar: [PermissionExpectation] = [
    row("polar", "print", .start(.of("a_cloud_1.gcode"), .person), "print", ["start"]),
    row("polar", "pause", .pause, "control", ["pause"], state: "printing"),
    row("polar", "resume", .resume, "control", ["resume"], state: "paused"),
    row("polar", "cancel", .cancel, "control", ["cancel"], state: "printing"),
    row(
      "polar", "temperature", .temperature(heater: "extruder", celsius: 200), "print",
      ["temperature"]),
    row(
      "polar", "temperature", .temperature(heater: "chamber", celsius: 40), "print",
      ["temperature"]),
    row("polar", "command", .gcode("G28"), "print", [gcode, "home"]),
    row("polar", "command", .gcode("M112"), nil, []),
    row("polar", "command", .gcode("G28\nSAVE_CONFIG"), nil, []),
    row(
      "polar", "clean_up", .deleteFile(.of("a_cloud_1.gcode")), "print",
      ["files.delete_own|files.delete_any"]),
  ]

  private static let cura: [PermissionExpectation] = [
    row("cura", "print_jobs", .upload(.of("a.gcode")), "print", ["upload"]),
    row("cura", "print_jobs:names", look("server.files.list"), "monitor", ["files.list"]),
    row("cura", "print_jobs:estimate", look("server.files.list"), "monitor", ["files.list"]),
    row("cura", "print_jobs:start", .start(.of("a.gcode"), .person), "print", ["start"]),
    row(
      "cura", "print_jobs:queue", .queue(.add([.of("a.gcode")], isReset: false)), "print", ["queue"]
    ),
    row("cura", "queue", look("server.job_queue.status"), "monitor", ["status"]),
    row("cura", "history", .history(limit: 1), "monitor", ["history"]),
    row("cura", "action:pause", .pause, "control", ["pause"], state: "printing"),
    row("cura", "action:resume", .resume, "control", ["resume"], state: "paused"),
    row("cura", "action:cancel", .cancel, "control", ["cancel"], state: "printing"),
    row("cura", "action:print", .start(.of("a.gcode"), .person), "print", ["start"]),
    row("cura", "action/move", .queue(.first("1")), "print", ["queue"]),
    row("cura", "force", .start(.of("a.gcode"), .person), "print", ["start"]),
    row("cura", "auto_start", .start(.of("a.gcode"), .person), "print", ["start"]),
    row("cura", "started:queue", .queue(.remove(["1"])), "print", ["queue"]),
    row("cura", "delete", .queue(.remove(["1"])), "print", ["queue"]),
    row(
      "cura", "delete:file", .deleteFile(.of("a.gcode")), "print",
      ["files.delete_own|files.delete_any"]),
    row("cura", "preview_image", look("server.files.list"), "monitor", ["files.list"]),
  ]

  private static func look(_ path: String) -> PrinterCommand { .query(.of(path, .get)) }
  private static func raw(_ path: String) -> PrinterCommand { .raw(.of(path, .post)) }

  private static let gcode = "gcode|gcode.any"

  /// Every effect, for the connectors whose wires know more than PrintDock's.
  private static let scripted: [PermissionExpectation] = [
    row("scripted", "pause", .pause, "control", ["pause"], state: "printing"),
    row("scripted", "resume", .resume, "control", ["resume"], state: "paused"),
    row("scripted", "cancel", .cancel, "control", ["cancel"], state: "paused"),
    row("scripted", "emergency_stop", .emergencyStop, "control", ["emergency_stop"]),
    row("scripted", "start", .start(.of("a.gcode"), .person), "print", ["start"]),
    row("scripted", "home", .home([]), "print", ["home"]),
    row("scripted", "gcode", .gcode("M105"), "print", [gcode]),
    row("scripted", "gcode", .gcode("M117 hello\nG28 X"), "print", [gcode, "home"]),
    row("scripted", "gcode", .gcode("M104 S50"), "print", [gcode, "temperature"]),
    row("scripted", "gcode", .gcode("M190 S50"), "print", [gcode, "temperature"]),
    row("scripted", "gcode", .gcode("M106 S255"), "print", [gcode, "fan"]),
    row("scripted", "gcode", .gcode("M220 S90"), "print", [gcode, "speed"]),
    row("scripted", "gcode", .gcode("M221 S90"), "print", [gcode, "flow"]),
    row("scripted", "gcode", .gcode("M25"), "print", [gcode, "pause"], state: "printing"),
    row("scripted", "gcode", .gcode("M24"), "print", [gcode, "resume"], state: "paused"),
    row("scripted", "gcode", .gcode("M24"), "print", [gcode, "start"]),
    row("scripted", "gcode", .gcode("PARK"), "full", [gcode, "macro.any"]),
    row(
      "scripted", "gcode", .gcode("PARK"), "print", [gcode, "macro|macro.any"], macros: ["PARK"]),
    row(
      "scripted", "gcode", .gcode("BED_MESH_CLEAR"), "full", [gcode, "gcode.any|macro.any"],
      patterns: ["BED_MESH_*"]),
    row("scripted", "gcode", .gcode("M112"), nil, [], patterns: ["*"]),
    row("scripted", "gcode", .gcode("M117 x\nSAVE_CONFIG"), nil, [], macros: ["SAVE_CONFIG"]),
    row("scripted", "macro", .macro("PARK", []), "full", ["macro.any"]),
    row("scripted", "macro", .macro("park", []), "print", ["macro|macro.any"], macros: ["PARK"]),
    row("scripted", "macro", .macro("PARK", []), "full", ["macro.any"], macros: ["PARKING"]),
    row("scripted", "macro", .macro("FIRMWARE_RESTART", []), nil, [], macros: ["FIRMWARE_RESTART"]),
    row(
      "scripted", "temperature", .temperature(heater: "extruder", celsius: 200), "print",
      ["temperature"]),
    row("scripted", "fan", .fan(1), "print", ["fan"]),
    row("scripted", "speed", .speed(percent: 90), "print", ["speed"]),
    row("scripted", "flow", .flow(percent: 90), "print", ["flow"]),
    row("scripted", "upload", .upload(.of("a.gcode")), "print", ["upload"]),
    row(
      "scripted", "delete_file", .deleteFile(.of("a.gcode")), "print",
      ["files.delete_own|files.delete_any"]),
    row("scripted", "list_files", .listFiles, "monitor", ["files.list"]),
    row("scripted", "history", .history(limit: 5), "monitor", ["history"]),
    row("scripted", "backup", .backup, "full", ["backup"]),
    row("scripted", "restart", .restart(.firmware), "full", ["restart"]),
    row("scripted", "restart", .restart(.klipper), "full", ["restart"]),
    row("scripted", "reboot", .reboot, "full", ["reboot"]),
    row("scripted", "shutdown_host", .shutdownHost, "full", ["shutdown"]),
    row("scripted", "power", .power(device: "psu", isOn: true), "full", ["power"]),
    row("scripted", "query", look("server.info"), "monitor", ["status"]),
    row("scripted", "queue", .queue(.pause), "print", ["queue"]),
    row("scripted", "start_queue", .startQueue, "print", ["start"]),
    row("scripted", "raw", raw("server.restart"), "full", ["raw"]),
  ]

  private static func row(
    _ type: String, _ wireName: String, _ command: PrinterCommand, _ from: String?,
    _ needs: [String], macros: [String] = [], patterns: [String] = [], state: String = "standby"
  ) -> PermissionExpectation {
    PermissionExpectation(
      type: type, wireName: wireName, command: command, from: from, needs: needs,
      allowedMacros: macros, allowedPatterns: patterns, state: state)
  }
}
