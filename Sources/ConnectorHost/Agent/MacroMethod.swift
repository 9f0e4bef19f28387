/// What Klipper's macros can call of us, by `action_call_remote_method`.
enum MacroMethod: String, Sendable, CaseIterable {
  case notify
  case bedCleared = "bed_cleared"
  case enable, disable

  /// Its name at Moonraker, where all clients' methods share one space.
  var remoteName: String { "printer_uplink_\(rawValue)" }

  /// What the configuration must grant for it.
  var grant: MacroGrant {
    switch self {
    case .notify: .notify
    case .bedCleared: .bedCleared
    case .enable, .disable: .switch
    }
  }
}

/// What `control.macros` grants. Who has a macro run is never known: a person, a job's file, a cloud that may run macros.
/// So what widens anything is granted by the owner, in the file.
enum MacroGrant: String, Sendable, Hashable, CaseIterable {
  case notify
  case bedCleared = "bed_cleared"
  case `switch`

  /// What is granted where the file says nothing: what harms nobody.
  static let byDefault: [MacroGrant] = [.notify]
}
