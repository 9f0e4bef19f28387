internal import Networking
package import Platform

/// How long to wait before the next connection. A value without a clock.
///
/// Waits double from one second to a minute, each times a random factor; a connection that served for a while starts
/// them anew. What a server asks for is kept to, and one that refuses for good is asked seldom.
package struct ReconnectSchedule: Sendable, Hashable {
  /// The first wait, before the random factor.
  package var first = Duration.seconds(1)
  /// The longest wait, before the random factor.
  package var cap = Duration.seconds(60)
  /// What a wait is multiplied with.
  package var factors: ClosedRange<Double> = 0.5...1.5
  /// After a connection that served for so long, waits start anew.
  package var healthyTime = Duration.seconds(60)
  /// The least wait after the server has ended a connection in an orderly way.
  package var orderlyPause = Duration.seconds(5)
  /// The longest wait that a server may ask for.
  package var longestRetryAfter = Duration.seconds(900)

  /// Connections in a row that failed, or ended before they had served for a while.
  package private(set) var failures = 0

  /// A schedule that has seen no failure.
  package init() {}

  /// The wait after a connection that ended, or did not come about.
  ///
  /// - Parameters:
  ///   - closure: why.
  ///   - served: how long it did what it is for (authenticated, say); nil where it never did.
  ///   - now: this host's wall time, for a date in `Retry-After`.
  ///   - random: a uniform random number in 0..<1.
  package mutating func wait(
    after closure: SocketIOClosure, served: Duration?, at now: WallTime, random: Double
  ) -> Duration {
    if let served, served >= healthyTime { failures = 0 }
    // Far beyond the cap, far below an overflow.
    failures = min(failures + 1, 1_000)
    let factor = factors.lowerBound + (factors.upperBound - factors.lowerBound) * random
    switch closure.reason {
    case .refused(let status) where status == 429 || status == 503:
      let asked = closure.retryAfter.flatMap {
        RetryAfter.wait($0, at: now, longest: longestRetryAfter)
      }
      return max(doubled * factor, asked ?? .zero)
    case .refused(let status) where (300..<500).contains(status): return cap * factor
    case .endedByServer, .connectError: return max(doubled * factor, orderlyPause)
    default: return doubled * factor
    }
  }

  private var doubled: Duration {
    var wait = first
    var left = failures
    while left > 1 && wait < cap {
      wait *= 2
      left -= 1
    }
    return min(wait, cap)
  }
}
