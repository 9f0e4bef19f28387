/// Runs `body` on a thread for blocking work, so that the cooperative pool (two threads) never blocks.
///
/// - Returns: what `body` returned.
/// - Throws: what `body` threw. Cancellation does not interrupt `body`.
package func offload<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    WorkerThreads.shared.run { continuation.resume(with: Swift.Result(catching: body)) }
  }
}
