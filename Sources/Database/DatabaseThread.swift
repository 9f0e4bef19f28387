internal import Platform

/// What owns a connection, on a thread of its own: whatever hangs or takes long there, nobody else's work does.
///
/// Safe from any task. Calls are carried out one after the other, in their order.
package final class DatabaseThread<Owner>: Sendable {
  private let thread: SerialThread
  private let confined: Confined

  /// `owner` is touched on the thread only, whose name has at most 15 bytes.
  package init(name: String, owner: sending Owner) {
    thread = SerialThread(name: name)
    confined = Confined(owner)
  }

  deinit {
    // To close a file may mean to write: that too belongs on the thread.
    _ = thread.run { [confined] in confined.owner = nil }
  }

  /// Has `body` run on the thread and waits for what it returns.
  ///
  /// A caller whose task is cancelled does not wait any longer; `body` is run all the same when its turn comes, so that
  /// what was asked in an order is done in that order.
  ///
  /// - Throws: what `body` throws; `CancellationError`; `DatabaseError` where more than a thousand calls wait.
  package func run<Result: Sendable>(
    _ body: @escaping @Sendable (Owner) throws -> Result
  ) async throws -> Result {
    let call = Call<Result>()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        call.wait(continuation)
        let isAccepted = thread.run { [confined] in
          call.finish(Swift.Result { try body(confined.use()) })
        }
        guard !isAccepted else { return }
        call.finish(
          .failure(DatabaseError(.inaccessible, "the disk does not answer: too many calls wait")))
      }
    } onCancel: {
      call.finish(.failure(CancellationError()))
    }
  }

  private final class Confined: @unchecked Sendable {
    // @unchecked: used on the one thread only.
    var owner: Owner?
    init(_ owner: Owner) { self.owner = owner }
    func use() throws -> Owner {
      guard let owner else { throw DatabaseError(.inaccessible, "the database is closed") }
      return owner
    }
  }
}

/// One call, whose caller waits or has given up: the first end counts.
private final class Call<Result: Sendable>: Sendable {
  private enum State {
    case new
    case waiting(CheckedContinuation<Result, any Error>)
    case over(Swift.Result<Result, any Error>?)
  }
  private let state = Guarded(State.new)

  func wait(_ continuation: CheckedContinuation<Result, any Error>) {
    let early = state.withLock { state -> Swift.Result<Result, any Error>? in
      guard case .over(let result) = state else {
        state = .waiting(continuation)
        return nil
      }
      return result
    }
    if let early { continuation.resume(with: early) }
  }

  func finish(_ result: Swift.Result<Result, any Error>) {
    let waiting = state.withLock { state -> CheckedContinuation<Result, any Error>? in
      switch state {
      case .new:
        state = .over(result)
        return nil
      case .waiting(let continuation):
        state = .over(nil)
        return continuation
      case .over: return nil
      }
    }
    waiting?.resume(with: result)
  }
}
