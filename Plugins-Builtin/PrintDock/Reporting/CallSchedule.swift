internal import ConnectorKit
internal import Platform

/// When the next call of a loop is due: a heartbeat, a poll. Pure: outcomes in, moments out.
struct CallSchedule: Sendable {
  /// While our credentials are refused, one probe in this time is all that is sent.
  static let probeInterval = Duration.seconds(60)

  private let interval: Duration
  private var backoff = ExponentialBackoff(.printDock)

  /// - Parameter interval: the time between two calls.
  init(interval: Duration) { self.interval = interval }

  /// When the next call is due, after one that began at `start` and ended just now.
  ///
  /// - Parameters:
  ///   - error: why it failed; nil when it did not.
  ///   - isRefused: whether our credentials had been refused before, by whatever call; then other failures do not
  ///     make us knock more often.
  ///   - random: a uniform random number in 0..<1.
  mutating func next(
    after start: MonotonicInstant, endedAt now: MonotonicInstant, error: CloudError?,
    isRefused: Bool = false, random: Double
  ) -> MonotonicInstant {
    let regular = start.advanced(by: interval.jittered(random))
    let probe = start.advanced(by: max(interval, Self.probeInterval).jittered(random))
    guard let error else {
      backoff.succeeded()
      return regular
    }
    switch error.kind {
    case .unauthorized, .unknown:
      backoff.succeeded()
      return probe
    case .rejected where error.isFinal:
      backoff.succeeded()
      return isRefused ? probe : regular
    case .rejected, .busy, .redirected, .notPrintDock, .unreachable:
      let wait = backoff.failed(random: random, retryAfter: error.retryAfter)
      return max(isRefused ? probe : regular, now.advanced(by: wait))
    }
  }
}

extension CloudError {
  /// 400 and 422: the same request would be refused again, and another one may not be. No reason to wait.
  var isFinal: Bool { status == 400 || status == 422 }
}
