internal import Platform

extension BackendContext {
  /// How long ``finishing(within:_:)`` goes on after a cancellation: less than the daemon has for its end.
  package static let finishingTime = Duration.milliseconds(1_800)

  /// Runs `body` to its end although the caller is cancelled meanwhile: for what the far side does once only.
  ///
  /// The answer to a spent pairing token comes once; without it the pairing is lost.
  ///
  /// - Parameters:
  ///   - limit: how long `body` may go on after the cancellation; then it is cancelled too.
  ///   - body: runs in a task of its own, which has ended on return.
  /// - Returns: what `body` returned, also when the caller has been cancelled: store it first, then look.
  /// - Throws: what `body` threw.
  package func finishing<Result: Sendable>(
    within limit: Duration = finishingTime,
    _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    // Of its own, since the cancellation of a child task cannot be put off.
    let work = Task { try await body() }
    let end = Guarded((isOver: false, timer: Task<Void, Never>?.none))
    defer {
      end.withLock { end in
        end.isOver = true
        end.timer?.cancel()
      }
    }
    return try await withTaskCancellationHandler {
      try await work.value
    } onCancel: { [time] in
      end.withLock { end in
        guard !end.isOver else { return }
        end.timer = Task {
          do { try await time.sleep(for: limit) } catch { return }
          work.cancel()
        }
      }
    }
  }
}
