internal import Platform

/// Lets only so many events of the cloud wait for the session: then its socket is read no further. Safe from any task.
final class Inflow: Sendable {
  private struct State {
    var count = 0
    var waiter: CheckedContinuation<Void, Never>?

    mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
      defer { waiter = nil }
      return waiter
    }
  }
  /// The most that wait.
  private static let limit = 64
  private let state = Guarded(State())

  /// An event is on its way to the session; returns when another one may be. One task calls it.
  func enter() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let mustWait = state.withLock { state in
          state.count += 1
          guard state.count >= Self.limit, state.waiter == nil, !Task.isCancelled else {
            return false
          }
          state.waiter = continuation
          return true
        }
        if !mustWait { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.takeWaiter() }?.resume()
    }
  }

  /// The session has taken one.
  func leave() {
    let waiter = state.withLock { state in
      state.count -= 1
      return state.count < Self.limit ? state.takeWaiter() : nil
    }
    waiter?.resume()
  }
}
