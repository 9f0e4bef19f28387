import ConnectorKit
import JSON
import Platform
import Testing

@testable import ConnectorHost

@Suite("Gate: G-code filter") struct GateFilterTests {
  private static let status = PrinterStatus(
    startedAt: MonotonicInstant(sinceOrigin: .zero), wallTime: WallTime(millisecondsSinceEpoch: 0))

  /// nil: allowed.
  private static func refusal(
    _ text: String, _ permissions: Set<Permission> = PermissionLevel.print.permissions,
    macros: [String] = [], patterns: [String] = [], status: PrinterStatus = status,
    limits: HeaterLimits = .unknown
  ) -> CommandOutcome.Reason? {
    let policy = CommandPolicy(
      permissions: permissions, allowedMacros: macros, gcodePatterns: patterns)
    do throws(CommandFailure) {
      try policy.check(try CommandReading(.gcode(text)), status, limits: limits)
      return nil
    } catch {
      return error.reason
    }
  }

  @Test(
    "Lines are cleaned before they are judged, and what is judged is sent",
    arguments: [
      ("G1 X10", "G1 X10"), ("  g1x10 ; go\n\n; nothing\n", "g1x10"),
      ("N10 G28*71", "G28"), ("n5M105", "M105"), ("G28 XY", "G28 X Y"), ("g28zx", "G28 X Z"),
      ("G28 X0 Y0", "G28 X Y"), ("G28", "G28"), ("G28 METHOD=CONTACT", "G28 METHOD=CONTACT"),
      ("M117 Grüße 5*5", "M117 Grüße 5"), ("G1 X1\r\nG1 X2\r\n", "G1 X1\nG1 X2"),
      ("G1 X1\tY2", "G1 X1\tY2"), ("M20", "M20"), ("M21", "M21"),
    ])
  func cleaning(text: String, sent: String) throws {
    #expect(try CommandReading(.gcode(text)).command == .gcode(sent))
    #expect(Self.refusal(text) == nil)
  }

  @Test(
    "What cannot be read as lines of G-code is refused as a whole",
    arguments: [
      "", "\n\n;\n", "10 X", "=5", "G28\u{0}", "M117 a\u{7}b", "G1 X1\u{2028}M112", "G1 X1\rM112",
      "SET_X=1", "M104 \u{17F}300", "\u{131}", "N10 N20",
      String(repeating: "M105\n", count: 51), "M117 " + String(repeating: "x", count: 4_092),
    ])
  func unreadable(text: String) {
    #expect(Self.refusal(text) != nil)
  }

  @Test("Fifty lines and 4096 bytes are the most")
  func limits() {
    #expect(Self.refusal(String(repeating: "M105\n", count: 50)) == nil)
    #expect(Self.refusal("M117 " + String(repeating: "x", count: 4_091)) == nil)
  }

  @Test(
    "What no cloud may send is refused at every level, in every spelling",
    arguments: [
      "M112", "m112", "N1 M112*5", "M0112", "M112X", "M 112", "G1 X1\nM112", "M999", "M500",
      "M501", "M502", "M112.0", "M28 a.gcode", "M29", "M30 a.gcode", "M32 a.gcode", "M33 a",
      "m030 a", "RESTART", "restart", "FIRMWARE_RESTART", "SAVE_CONFIG",
      "RUN_SHELL_COMMAND CMD=x", "FORCE_MOVE STEPPER=x", "SET_KINEMATIC_POSITION X=0",
      "N1 N2 M112", "N1N2 FIRMWARE_RESTART", "n7 n8 n9 M999", "N5",
      "PID_CALIBRATE HEATER=extruder", "STEPPER_BUZZ STEPPER=x", "SDCARD_PRINT_FILE FILENAME=a",
      "SDCARD_RESET_FILE", "sdcard_foo", "FIRMWARE_RESTART;x", " RESTART",
    ])
  func forbidden(text: String) {
    let reason = Self.refusal(
      text, PermissionLevel.full.permissions, macros: ["RESTART", "SDCARD_FOO"], patterns: ["*"])
    #expect(reason != nil)
  }

  @Test(
    "Extended commands pass only where they are listed",
    arguments: [
      ("SET_LED LED=case", [], false), ("SET_LED LED=case", ["SET_LED"], true),
      ("SET_LED LED=case", ["set_*"], true), ("SET_LED", ["SET"], false),
      ("SET_LED", ["SET_?ED"], true), ("SET_LED", ["SET_[A-M]ED"], true),
      ("SET_LED", ["SET_[!A-M]ED"], false), ("TURN", ["T*"], false), ("GO_HOME", ["G*"], false),
      ("MY_MACRO", ["M*"], false), ("MY_MACRO", ["MY*"], true), ("A1", ["*"], true),
      ("A1", [], false), ("Q5", ["Q*"], true),
    ])
  func extended(text: String, patterns: [String], isAllowed: Bool) {
    let listed: Set<Permission> = PermissionLevel.print.permissions.union([.gcodeAny])
    #expect((Self.refusal(text, listed, patterns: patterns) == nil) == isAllowed)
    // Below `gcode.any` a pattern widens nothing.
    if !patterns.isEmpty { #expect(Self.refusal(text, patterns: patterns) == .notPermitted) }
  }

  @Test(
    "A line needs the permission of its effect",
    arguments: [
      ("M23 a.gcode", Permission.start), ("M24", .start), ("M26 S0", .start), ("M25", .pause),
      ("G28", .home), ("M104 S200", .temperature), ("M109 S200", .temperature),
      ("M140 S60", .temperature), ("M190 S60", .temperature), ("M106 S255", .fan),
      ("M107", .fan), ("M220 S90", .speed), ("M221 S90", .flow), ("M80", .power), ("M81", .power),
    ])
  func effects(text: String, needed: Permission) {
    let all = PermissionLevel.full.permissions
    #expect(Self.refusal(text, all) == nil)
    #expect(Self.refusal(text, all.subtracting([needed])) == .notPermitted)
    #expect(Self.refusal(text, [.gcode, needed]) == nil)
    #expect(Self.refusal(text, [needed]) == .notPermitted)
  }

  @Test("M24 is a resume while a job is paused")
  func resume() {
    var status = Self.status
    status.objects["print_stats"] = ["state": "paused"]
    #expect(Self.refusal("M24", [.gcode, .resume], status: status) == nil)
    #expect(Self.refusal("M24", [.gcode, .start], status: status) == .notPermitted)
  }

  @Test(
    "Temperatures above a heater's maximum are refused",
    arguments: [
      ("M104 S300", true), ("M104 S300.5", false), ("M104 S-1", false), ("M104S301", false),
      ("M104 S", false), ("M104 S=999", false), ("M104 S 301", false), ("M104 S100 S400", false),
      ("M104", true), ("M109 R301", false), ("M140 S120", true), ("M140 S121", false),
      ("M190 S200", false), ("M104 T1 S290", true), ("M104 T1 S301", false),
      ("M141 S121", false),
    ])
  func temperatures(text: String, isAllowed: Bool) {
    #expect(Self.refusal(text) == (isAllowed ? nil : .invalid))
  }

  @Test("Klipper's own limits count where they are known")
  func knownLimits() {
    let limits = HeaterLimits([
      "extruder": 250, "heater_bed": 130, "heater_generic chamber": 70, "temperature_fan case": 60,
    ])
    #expect(Self.refusal("M104 S251", limits: limits) == .invalid)
    #expect(Self.refusal("M140 S130", limits: limits) == nil)
    #expect(Self.refusal("M141 S71", limits: limits) == .invalid)
    let all = PermissionLevel.full.permissions
    for (line, isAllowed) in [
      ("SET_HEATER_TEMPERATURE HEATER=Chamber TARGET=70", true),
      ("SET_HEATER_TEMPERATURE HEATER=Chamber TARGET=71", false),
      ("SET_TEMPERATURE_FAN_TARGET TEMPERATURE_FAN=case TARGET=61", false),
    ] {
      #expect(Self.refusal(line, all, limits: limits) == (isAllowed ? nil : .invalid), "\(line)")
    }
  }

  @Test("A macro may be called in G-code where it may be called at all")
  func macros() {
    #expect(Self.refusal("LOAD_FILAMENT T=1") == .notPermitted)
    #expect(Self.refusal("load_filament", macros: ["Load_Filament"]) == nil)
    #expect(Self.refusal("LOAD_FILAMENT", [.gcode, .macroAny]) == nil)
    #expect(Self.refusal("PAUSE", [.gcode, .macroAny]) == .notPermitted)
  }
}
