package import Platform

/// Something that the configuration file would allow and that waits for a person's reload (`control.pin_permissions`).
package struct WaitingNotice: Sendable, Hashable {
  /// Since when the daemon knows of it.
  package var at: WallTime
  /// What, before and after, in words; no secrets.
  package var text: String
  /// A notice.
  package init(at: WallTime, text: String) {
    self.at = at
    self.text = text
  }
}
