/// Waits that double with each failure in a row up to a cap, each times a random factor. A value without a clock.
///
/// The random factor keeps a thousand printers from coming back to a recovering cloud at the same moment.
package struct ExponentialBackoff: Sendable, Hashable {
  /// How the waits grow.
  package struct Policy: Sendable, Hashable {
    /// The first wait, before the random factor; more than zero.
    package var first: Duration
    /// The longest wait, before the random factor.
    package var cap: Duration
    /// What a wait is multiplied with: `0...1` is full jitter, `0.75...1.25` a quarter to either side.
    package var factors: ClosedRange<Double>

    /// A policy.
    package init(
      first: Duration = .seconds(1), cap: Duration = .seconds(60),
      factors: ClosedRange<Double> = 0...1
    ) {
      self.first = first
      self.cap = cap
      self.factors = factors
    }

    /// The wait after the `count`-th failure in a row.
    ///
    /// - Parameters:
    ///   - count: from 1; less is taken as 1.
    ///   - random: a uniform random number in 0..<1.
    package func wait(afterFailure count: Int, random: Double) -> Duration {
      var wait = first
      var left = count
      while left > 1 && wait < cap {
        wait *= 2
        left -= 1
      }
      return min(wait, cap)
        * (factors.lowerBound + (factors.upperBound - factors.lowerBound) * random)
    }
  }

  /// How the waits grow.
  package let policy: Policy
  /// Failures since the last success.
  package private(set) var failures = 0

  /// A back-off that has seen no failure.
  package init(_ policy: Policy = Policy()) { self.policy = policy }

  /// The wait after one more failure.
  ///
  /// - Parameters:
  ///   - random: a uniform random number in 0..<1.
  ///   - retryAfter: what the far side asked for, which counts where it is longer.
  package mutating func failed(random: Double, retryAfter: Duration? = nil) -> Duration {
    // Far beyond any cap, far below an overflow.
    failures = min(failures + 1, 1_000)
    return max(policy.wait(afterFailure: failures, random: random), retryAfter ?? .zero)
  }

  /// Forgets the failures.
  package mutating func succeeded() { failures = 0 }
}

extension Duration {
  /// The duration times a random factor in [1 - share, 1 + share), so that a thousand printers do not call at once.
  ///
  /// - Parameters:
  ///   - random: a uniform random number in 0..<1.
  ///   - share: how far to either side, 0…1; a tenth unless said otherwise.
  package func jittered(_ random: Double, share: Double = 0.1) -> Duration {
    self * (1 - share + 2 * share * random)
  }
}
