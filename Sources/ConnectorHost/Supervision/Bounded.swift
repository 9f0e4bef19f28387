internal import Platform

/// Runs `body` for at most `limit`; then it is cancelled and left behind, whether it ends or not.
///
/// - Returns: how it ended; nil when the time was over.
func bounded(
  by limit: Duration, time: any TimeSource, _ body: @escaping @Sendable () async throws -> Void
) async -> Result<Void, any Error>? {
  let end = Guarded<Result<Void, any Error>?>(nil)
  let isDecided = Completion()
  let work = Task {
    let result: Result<Void, any Error>
    do {
      try await body()
      result = .success(())
    } catch {
      result = .failure(error)
    }
    end.withLock { $0 = result }
    isDecided.complete()
  }
  let timer = Task {
    try? await time.sleep(for: limit)
    isDecided.complete()
  }
  await isDecided.wait()
  work.cancel()
  timer.cancel()
  return end.withLock { $0 }
}
