internal import Platform

/// When each backend's far side has confirmed it last, and until when that counts. Safe from any thread.
final class Confirmations: Sendable {
  private let newest = Guarded<[String: DaemonView.Confirmation]>([:])

  init() {}

  /// The backend `name` begins anew: what its former run was told does not count.
  func forget(_ name: String) { newest.withLock { $0[name] = nil } }

  /// The far side of `name` confirms it at `now`, which counts for `duration`.
  func note(_ name: String, at now: MonotonicInstant, for duration: Duration) {
    newest.withLock {
      $0[name] = DaemonView.Confirmation(at: now, until: now.advanced(by: duration))
    }
  }

  /// The newest confirmation of `name`; nil where there was none.
  func newest(of name: String) -> DaemonView.Confirmation? { newest.withLock { $0[name] } }
}
