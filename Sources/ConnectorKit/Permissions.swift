/// Something that a cloud may be allowed to do, named by its effect.
package enum Permission: String, Sendable, CaseIterable {
  case status
  case camera
  case filesList = "files.list"
  case history
  case pause, resume, cancel
  case emergencyStop = "emergency_stop"
  case upload, start
  case filesDeleteOwn = "files.delete_own"
  case home, temperature, fan, speed, flow, queue, gcode, macro
  case macroAny = "macro.any"
  case gcodeAny = "gcode.any"
  case filesDeleteAny = "files.delete_any"
  case backup, power, restart, reboot, shutdown, raw
}

/// A named set of permissions; each holds all of those before it.
package enum PermissionLevel: String, Sendable, CaseIterable {
  case monitor, control, print, full

  /// All that the level allows.
  package var permissions: Set<Permission> {
    let monitor: Set<Permission> = [.status, .camera, .filesList, .history]
    let control = monitor.union([.pause, .resume, .cancel, .emergencyStop])
    let print = control.union([
      .upload, .start, .filesDeleteOwn, .home, .temperature, .fan, .speed, .flow, .queue, .gcode,
      .macro,
    ])
    switch self {
    case .monitor: return monitor
    case .control: return control
    case .print: return print
    case .full: return Set(Permission.allCases)
    }
  }
}
