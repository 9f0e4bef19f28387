/// How long a failed backend waits before its next start: full jitter over a doubling span.
///
/// The span starts at ``base`` and doubles with each failure up to ``cap``. The wait is a random part of the
/// span, so that many printers do not come back to a recovering cloud at the same moment.
package struct Backoff: Sendable, Hashable {
  /// The first span.
  package static let base = Duration.seconds(1)
  /// The longest span.
  package static let cap = Duration.seconds(60)
  /// How long a backend must have been online for its failures to be forgotten.
  ///
  /// Five times the cap: a far side that takes us for a moment and throws us out again keeps seeing long
  /// waits, and one bad night does not slow the first retry of the next week.
  package static let healthyPeriod = Duration.seconds(300)

  /// Failures since the last healthy period.
  package private(set) var failures = 0

  /// No failure yet.
  package init() {}

  /// The span of the next wait: 1, 2, 4 … 60 s.
  package var span: Duration {
    // 2^6 s is beyond the cap: the shift never grows further.
    min(Self.cap, Self.base * (1 << min(failures, 6)))
  }

  /// Counts a failure and says how long to wait.
  ///
  /// - Parameters:
  ///   - wanted: what the far side asked for. It counts from ``base`` on; less would be a busy loop and is
  ///     taken as "no wish".
  ///   - random: a uniform number in 0..<1.
  package mutating func failed(wanted: Duration?, random: Double) -> Duration {
    let jittered = span * min(max(random, 0), 1)
    failures = min(failures + 1, 1_000)
    if let wanted, wanted >= Self.base { return wanted }
    return jittered
  }

  /// Forgets the failures after a healthy period.
  package mutating func recovered() { failures = 0 }
}
