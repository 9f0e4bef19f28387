internal import Platform

/// The token that counts now: another one takes its place while the server goes on. Safe from any thread.
package final class ControlTokenHolder: Sendable {
  private let current: Guarded<ControlToken?>

  /// Holds `token`; nil: only who is local may change something.
  package init(_ token: ControlToken? = nil) { current = Guarded(token) }

  /// The token that counts now.
  package var token: ControlToken? {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}
