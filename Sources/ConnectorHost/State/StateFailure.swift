/// Why the daemon's state cannot be used: what, where, what to do.
package struct StateFailure: Error, Sendable, CustomStringConvertible {
  /// One line.
  package var description: String
  /// Whether the configuration is to blame, rather than the system.
  package var isConfiguration: Bool
  /// Whether another process has the state directory just now.
  package var isHeld: Bool
  /// A failure.
  package init(_ description: String, isConfiguration: Bool = false, isHeld: Bool = false) {
    self.description = description
    self.isConfiguration = isConfiguration
    self.isHeld = isHeld
  }
}
