import ConnectorKit
import Testing

@Suite("Permissions") struct PermissionsTests {
  @Test("Each level holds all of the level before it, and more")
  func nesting() {
    let levels = PermissionLevel.allCases
    for (lower, higher) in zip(levels, levels.dropFirst()) {
      #expect(lower.permissions.isStrictSubset(of: higher.permissions))
    }
  }

  @Test(
    "What each level adds",
    arguments: [
      (PermissionLevel.monitor, ["status", "camera", "files.list", "history"]),
      (.control, ["pause", "resume", "cancel", "emergency_stop"]),
      (
        .print,
        [
          "upload", "start", "files.delete_own", "home", "temperature", "fan", "speed", "flow",
          "queue", "gcode", "macro",
        ]
      ),
      (
        .full,
        [
          "macro.any", "gcode.any", "files.delete_any", "backup", "power", "restart", "reboot",
          "shutdown", "raw",
        ]
      ),
    ])
  func additions(level: PermissionLevel, names: [String]) {
    let levels = PermissionLevel.allCases
    let before = levels.firstIndex(of: level).map { levels.prefix($0) }?.last?.permissions ?? []
    #expect(Set(level.permissions.subtracting(before).map(\.rawValue)) == Set(names))
  }
}
