package import Platform

/// What a changed configuration file would allow that the one in force does not, held back by `control.pin_permissions`.
package struct WaitingChanges: Sendable, Hashable {
  /// Which file it is: a digest of its content, so that a person accepts what was shown and nothing else.
  package var file: String
  /// What, before and after, in words; no secrets.
  package var changes: [String]
  /// Since when it waits.
  package var since: WallTime
  /// Changes of a file.
  package init(file: String, changes: [String], since: WallTime) {
    self.file = file
    self.changes = changes
    self.since = since
  }
}
