/// How long to wait before the next attempt.
enum Backoff {
  /// Full jitter: anything up to 1 s · 2ⁿ⁻¹ after the n-th failure in a row, at most a minute.
  static func afterFailure(_ count: Int, random: Double) -> Duration {
    doubled(.seconds(1), count, cap: .seconds(60)) * random
  }

  /// After the n-th refusal of this printer in a row (403, 404): 5 s to 10 s, then more, up to five minutes.
  static func afterRefusal(_ count: Int, random: Double) -> Duration {
    doubled(.seconds(10), count, cap: .seconds(300)) * (0.5 + random / 2)
  }

  private static func doubled(_ base: Duration, _ count: Int, cap: Duration) -> Duration {
    var delay = base
    for _ in 1..<max(count, 1) where delay < cap { delay *= 2 }
    return min(delay, cap)
  }
}
