internal import Platform

/// Something that happens once; any number may wait for it.
final class Completion: Sendable {
  private enum State {
    case pending([CheckedContinuation<Void, Never>])
    case done
  }
  private let state = Guarded(State.pending([]))

  /// Whether it has happened.
  var isDone: Bool {
    state.withLock { if case .done = $0 { true } else { false } }
  }

  /// Says that it has happened. Idempotent, safe from any thread.
  func complete() {
    let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      guard case .pending(let waiting) = state else { return [] }
      state = .done
      return waiting
    }
    for waiter in waiting { waiter.resume() }
  }

  /// Returns when it has happened. Cancellation does not end the wait: whoever completes it bounds the time.
  func wait() async {
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state -> Bool in
        guard case .pending(let waiting) = state else { return true }
        state = .pending(waiting + [continuation])
        return false
      }
      if isDone { continuation.resume() }
    }
  }
}
