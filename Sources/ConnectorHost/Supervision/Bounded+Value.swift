internal import Platform

/// Runs `body` for at most `limit`; then it is cancelled and left behind, whether it ends or not.
///
/// - Returns: its value; nil when the time was over, or it threw.
func bounded<Value: Sendable>(
  by limit: Duration, time: any TimeSource,
  value body: @escaping @Sendable () async throws -> Value
) async -> Value? {
  let kept = Guarded<Value?>(nil)
  _ = await bounded(by: limit, time: time) {
    let value = try await body()
    kept.withLock { $0 = value }
  }
  return kept.withLock { $0 }
}
