internal import Platform

/// How many uploads may be on their way at once. Who comes later waits, and what it sends waits in the network.
final class UploadSlots: Sendable {
  private struct State: Sendable {
    var free: Int
    var waiting: [(id: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
    var lastID: UInt64 = 0
  }
  private let state: Guarded<State>
  private let mostWaiting: Int

  /// So many at once, and so many that wait.
  init(_ count: Int, waiting: Int) {
    state = Guarded(State(free: count))
    mostWaiting = waiting
  }

  /// Takes a slot, waiting for it; false where too many wait, and when the task is cancelled.
  func take() async -> Bool {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
        let answer = state.withLock { state -> Bool? in
          if Task.isCancelled { return false }
          if state.free > 0 {
            state.free -= 1
            return true
          }
          guard state.waiting.count < mostWaiting else { return false }
          state.waiting.append((id, continuation))
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
      }
      waiter?.continuation.resume(returning: false)
    }
  }

  /// Gives it back.
  func leave() {
    let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      guard !state.waiting.isEmpty else {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst().continuation
    }
    next?.resume(returning: true)
  }
}
