package import ConnectorKit

/// What persons have set beside the file: entries switched on or off, and secrets that pair.
package struct ConfigurationOverlay: Sendable, Hashable {
  /// An entry's switch.
  package struct Switch: Sendable, Hashable {
    /// What the person wants.
    package var isEnabled: Bool
    /// What the file said then. Where it says something else by now, somebody has edited it since, and the file counts.
    package var fileSaid: Bool
    /// A switch.
    package init(isEnabled: Bool, fileSaid: Bool) {
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

  /// Switches the entry `name`, of which the file says `written`; a switch that says the same goes.
  mutating func set(_ name: String, isEnabled: Bool, written: Bool) {
    switches[name] =
      isEnabled == written ? nil : Switch(isEnabled: isEnabled, fileSaid: written)
  }
}
