import ConnectorKit
import Cryptography
import JSON
import Platform
import Testing

@testable import ConnectorHost

@Suite("Gate: permissions") struct GatePermissionTests {
  private struct Row: Sendable {
    var command: PrinterCommand
    var needed: Permission
    /// The levels at which it is allowed.
    var levels: Set<PermissionLevel>
  }

  private static func row(_ kind: PrinterCommand.Kind) -> Row? {
    let path = GCodePath.of("a.gcode")
    return switch kind {
    case .pause: Row(command: .pause, needed: .pause, levels: [.control, .print, .full])
    case .resume: Row(command: .resume, needed: .resume, levels: [.control, .print, .full])
    case .cancel: Row(command: .cancel, needed: .cancel, levels: [.control, .print, .full])
    case .emergencyStop:
      Row(command: .emergencyStop, needed: .emergencyStop, levels: [.control, .print, .full])
    case .start: Row(command: .start(path, .person), needed: .start, levels: [.print, .full])
    case .home: Row(command: .home([.x]), needed: .home, levels: [.print, .full])
    case .gcode: Row(command: .gcode("M105"), needed: .gcode, levels: [.print, .full])
    case .macro: Row(command: .macro("UNNAMED", []), needed: .macroAny, levels: [.full])
    case .temperature:
      Row(
        command: .temperature(heater: "extruder", celsius: 200), needed: .temperature,
        levels: [.print, .full])
    case .fan: Row(command: .fan(1), needed: .fan, levels: [.print, .full])
    case .speed: Row(command: .speed(percent: 100), needed: .speed, levels: [.print, .full])
    case .flow: Row(command: .flow(percent: 100), needed: .flow, levels: [.print, .full])
    case .upload: Row(command: .upload(path), needed: .upload, levels: [.print, .full])
    case .deleteFile:
      Row(command: .deleteFile(path), needed: .filesDeleteOwn, levels: [.print, .full])
    case .listFiles:
      Row(command: .listFiles, needed: .filesList, levels: [.monitor, .control, .print, .full])
    case .history:
      Row(
        command: .history(limit: 5), needed: .history, levels: [.monitor, .control, .print, .full])
    case .backup: Row(command: .backup, needed: .backup, levels: [.full])
    case .restart: Row(command: .restart(.firmware), needed: .restart, levels: [.full])
    case .reboot: Row(command: .reboot, needed: .reboot, levels: [.full])
    case .shutdownHost: Row(command: .shutdownHost, needed: .shutdown, levels: [.full])
    case .power:
      Row(command: .power(device: "psu", isOn: true), needed: .power, levels: [.full])
    case .query:
      Row(
        command: .query(.of("server.info", .get)), needed: .status,
        levels: [.monitor, .control, .print, .full])
    case .queue: Row(command: .queue(.clear), needed: .queue, levels: [.print, .full])
    case .startQueue: Row(command: .startQueue, needed: .start, levels: [.print, .full])
    case .raw:
      Row(command: .raw(.of("machine.update.full", .post)), needed: .raw, levels: [.full])
    }
  }

  private static func isAllowed(
    _ command: PrinterCommand, _ permissions: Set<Permission>, macros: [String] = []
  ) -> Bool {
    let status = PrinterStatus(
      startedAt: MonotonicInstant(sinceOrigin: .zero), wallTime: WallTime(millisecondsSinceEpoch: 0)
    )
    let policy = CommandPolicy(permissions: permissions, allowedMacros: macros)
    do throws(CommandFailure) {
      try policy.check(try CommandReading(command), status)
      return true
    } catch {
      return false
    }
  }

  @Test(
    "Each command at each level", arguments: PrinterCommand.Kind.allCases, PermissionLevel.allCases)
  func levels(kind: PrinterCommand.Kind, level: PermissionLevel) throws {
    let row = try #require(Self.row(kind), "\(kind) has no row")
    #expect(row.command.kind == kind)
    #expect(Self.isAllowed(row.command, level.permissions) == row.levels.contains(level))
  }

  @Test(
    "Each command with a list of its permission alone, and with all but that",
    arguments: PrinterCommand.Kind.allCases)
  func lists(kind: PrinterCommand.Kind) throws {
    let row = try #require(Self.row(kind), "\(kind) has no row")
    #expect(Self.isAllowed(row.command, [row.needed]))
    #expect(!Self.isAllowed(row.command, []))
    var others = Set(Permission.allCases).subtracting([row.needed])
    // The wider of two holds the narrower.
    if kind == .deleteFile { others.remove(.filesDeleteAny) }
    if kind == .gcode { others.remove(.gcodeAny) }
    #expect(!Self.isAllowed(row.command, others))
  }

  @Test(
    "A look needs the permission of what it looks at",
    arguments: [
      ("server.files.list", Permission.filesList), ("server.history.totals", .history),
      ("server.webcams.list", .camera), ("printer.info", .status),
    ])
  func looks(path: String, permission: Permission) {
    #expect(Self.isAllowed(.query(.of(path, .get)), [permission]))
    #expect(
      !Self.isAllowed(
        .query(.of(path, .get)), Set(Permission.allCases).subtracting([permission])))
  }

  @Test(
    "What is raw needs the permission of what it does",
    arguments: [
      (MoonrakerRequest.of("machine.services.restart", .post), Permission.restart),
      (.of("machine.services.stop", .post), .shutdown),
      (.of("machine.device_power.device", .post, ["device": "a", "action": "toggle"]), .power),
      (.of("machine.wled.on", .post, ["strip": "a"]), .raw),
    ])
  func rawEffects(request: MoonrakerRequest, permission: Permission) {
    #expect(Self.isAllowed(.raw(request), [permission]))
    #expect(!Self.isAllowed(.raw(request), Set(Permission.allCases).subtracting([permission])))
  }

  @Test(
    "No wrapper is a way around the names: not raw, and not as a look",
    arguments: [
      "printer.print.start", "printer.gcode.script", "printer.emergency_stop", "machine.reboot",
      "access.user", "server.database.item", "server.jsonrpc", "machine.sudo.password",
      "printer.objects.subscribe", "server.extensions.request", "server.files.delete_file",
    ])
  func wrappers(path: String) {
    for method in [MoonrakerRequest.Method.get, .post, .delete] {
      #expect(!Self.isAllowed(.query(.of(path, method)), PermissionLevel.full.permissions))
      guard (path, method) != ("server.database.item", .get) else { continue }
      #expect(!Self.isAllowed(.raw(.of(path, method)), PermissionLevel.full.permissions))
    }
  }

  @Test("A macro is allowed by its name, in any case")
  func macros() {
    let print = PermissionLevel.print.permissions
    #expect(Self.isAllowed(.macro("Load", []), print, macros: ["LOAD"]))
    #expect(!Self.isAllowed(.macro("LOADED", []), print, macros: ["LOAD"]))
    #expect(!Self.isAllowed(.macro("LOAD", []), print.subtracting([.macro]), macros: ["LOAD"]))
  }

  @Test(
    "No macro is a way around",
    arguments: [
      "SDCARD_PRINT_FILE", "restart", "SAVE_CONFIG", "M112", "G28", "T0", "FORCE_MOVE",
    ])
  func dangerousMacros(name: String) {
    #expect(!Self.isAllowed(.macro(name, []), PermissionLevel.full.permissions, macros: [name]))
  }

  @Test(
    "Parameters out of range are refused at every level",
    arguments: [
      PrinterCommand.fan(1.5), .fan(.nan), .fan(-0.1), .speed(percent: 0), .flow(percent: 1_000),
      .temperature(heater: "extruder", celsius: 301),
      .temperature(heater: "extruder", celsius: .infinity),
      .temperature(heater: "extruder", celsius: -1),
      .temperature(heater: "heater_bed", celsius: 121),
      .temperature(heater: "x\nM112", celsius: 1), .temperature(heater: "", celsius: 1),
      .power(device: "a;b", isOn: true), .power(device: "", isOn: true), .history(limit: 0),
      .start(.of("a.txt"), .person), .macro("a b", []), .macro("", []),
    ])
  func ranges(command: PrinterCommand) {
    #expect(!Self.isAllowed(command, PermissionLevel.full.permissions))
  }

  @Test("Digests differ by kind and by every parameter, and stay")
  func digests() {
    let commands: [PrinterCommand] = [
      .pause, .resume, .home([]), .home([.x]), .home([.x, .y]), .gcode("G28"), .macro("G", []),
      .start(.of("a.gcode"), .person), .start(.of("a.gcode"), .itself), .upload(.of("a.gcode")),
      .deleteFile(.of("a.gcode")), .speed(percent: 5), .flow(percent: 5),
      .temperature(heater: "a", celsius: 1), .temperature(heater: "a", celsius: 2),
      .power(device: "a", isOn: true), .power(device: "a", isOn: false), .history(limit: 5),
      .query(.of("server.info", .get)), .raw(.of("server.info", .get)),
      .raw(.of("server.info", .post)), .raw(.of("server.info", .post, ["a": 1])), .startQueue,
      .queue(.clear), .queue(.pause), .queue(.first("a")), .queue(.remove(["a"])),
      .queue(.add([.of("a.gcode")], isReset: false)),
      .queue(.add([.of("a.gcode")], isReset: true)),
    ]
    #expect(Set(commands.map(\.digest)).count == commands.count)
    // Length and text of each part: `5:pause`.
    #expect(PrinterCommand.pause.digest == Digest.sha256Hex(Array("5:pause".utf8)))
  }
}
