internal import ConnectorKit

/// The waits after failures, as the owner has set them.
struct RetryPolicy: Sendable, Hashable {
  /// The longest wait.
  static let cap = Duration.seconds(60)

  /// The wait after the first failure.
  var base: Duration
  /// Whether it doubles with each.
  var doubles: Bool

  /// The wait after the `count`-th failure in a row, a fifth more or less.
  ///
  /// - Parameters:
  ///   - random: a uniform random number in 0..<1.
  ///   - cap: the most.
  func wait(afterFailure count: Int, random: Double, cap: Duration = Self.cap) -> Duration {
    let policy = ExponentialBackoff.Policy(
      first: min(base, cap), cap: doubles ? cap : min(base, cap), factors: 0.8...1.2)
    return min(policy.wait(afterFailure: count, random: random), cap)
  }
}
