/// Why the daemon's state cannot be used: what, where, what to do.
package struct StateFailure: Error, Sendable, CustomStringConvertible {
  /// One line.
  package var description: String
  /// Whether the configuration is to blame, rather than the system.
  package var isConfiguration: Bool
  /// Whether another process holds the lock.
  var isHeld: Bool
  /// A failure.
  package init(_ description: String, isConfiguration: Bool = false) {
    self.init(description, isConfiguration: isConfiguration, isHeld: false)
  }

  /// A failure, with whether another process holds the lock.
  init(_ description: String, isConfiguration: Bool = false, isHeld: Bool) {
    self.description = description
    self.isHeld = isHeld
    self.isConfiguration = isConfiguration
  }
}
