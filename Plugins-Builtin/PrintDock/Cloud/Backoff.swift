/// How long one loop waits after failures in a row: 1, 2, 4, … 60 s, each times a random factor in [0.75, 1.25).
struct Backoff: Sendable {
  private var failures = 0

  /// The wait after one more failure.
  ///
  /// - Parameters:
  ///   - random: a uniform random number in 0..<1.
  ///   - retryAfter: what the cloud asked for, which counts where it is longer.
  mutating func failed(random: Double, retryAfter: Duration? = nil) -> Duration {
    let base = min(60, 1 << min(failures, 6))
    failures += 1
    let wait = Duration.seconds(Double(base) * (0.75 + 0.5 * random))
    return max(wait, retryAfter ?? .zero)
  }

  /// Forgets the failures.
  mutating func succeeded() { failures = 0 }
}

extension Duration {
  /// The duration times a random factor in [0.9, 1.1), so that a thousand printers do not call at once.
  ///
  /// - Parameter random: a uniform random number in 0..<1.
  func jittered(_ random: Double) -> Duration { self * (0.9 + 0.2 * random) }
}
