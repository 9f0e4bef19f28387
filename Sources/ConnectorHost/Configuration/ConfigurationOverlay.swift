package import ConnectorKit

/// What persons have set beside the file: entries switched on or off, and secrets that pair.
package struct ConfigurationOverlay: Sendable, Hashable {
  /// An entry's switch.
  package struct Switch: Sendable, Hashable {
    /// What the person wants.
    package var isEnabled: Bool
    /// What the file said then. Where it says something else by now, somebody has edited it since, and the file counts.
    package var fileSaid: Bool
    /// Whether a macro of the printer's has said so: what a person has switched off, no macro switches on.
    package var isByMacro = false
    /// A switch.
    package init(isEnabled: Bool, fileSaid: Bool, isByMacro: Bool = false) {
      self.isByMacro = isByMacro
      self.isEnabled = isEnabled
      self.fileSaid = fileSaid
    }
  }
  /// By the entry's name.
  package var switches: [String: Switch]
  /// Secrets by the entry's name and the setting's key; a key that the file has wins.
  package var secrets: [String: [String: Secret]]

  /// Nothing beside the file.
  package init(
    switches: [String: Switch] = [:], secrets: [String: [String: Secret]] = [:]
  ) {
    self.switches = switches
    self.secrets = secrets
  }

  /// Whether the entry `name` runs, of which the file says `written`.
  func isEnabled(_ name: String, written: Bool) -> Bool {
    guard let chosen = switches[name], chosen.fileSaid == written else { return written }
    return chosen.isEnabled
  }

  /// The entries that a person has switched on.
  var switchedOn: Set<String> { Set(switches.filter(\.value.isEnabled).keys) }

  /// Forgets the switches against which somebody has edited the file since: there the file counts, and goes on counting
  /// where it is edited back. What was set for an entry that is gone goes with it.
  ///
  /// - Parameter backends: the file's entries.
  mutating func forgetSwitches(editedIn backends: [BackendConfiguration]) {
    switches = switches.filter { name, chosen in
      backends.contains { $0.name == name && $0.isEnabledInFile == chosen.fileSaid }
    }
    secrets = secrets.filter { name, _ in backends.contains { $0.name == name } }
  }

  /// Switches the entry `name`, of which the file says `written`; a switch that says the same goes.
  ///
  /// - Parameter isByMacro: whether a macro does it: that is kept, or it could not be taken back.
  mutating func set(_ name: String, isEnabled: Bool, written: Bool, isByMacro: Bool = false) {
    let isKept = isByMacro && !isEnabled
    switches[name] =
      isEnabled == written && !isKept
      ? nil : Switch(isEnabled: isEnabled, fileSaid: written, isByMacro: isKept)
  }

  /// Whether the entry `name`, of which the file says `written`, is off because a macro has said so.
  func isOffByMacro(_ name: String, written: Bool) -> Bool {
    guard let chosen = switches[name], chosen.fileSaid == written else { return false }
    return chosen.isByMacro && !chosen.isEnabled
  }
}
