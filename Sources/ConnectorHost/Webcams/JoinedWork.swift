internal import Platform

/// One piece of work that any number wait for. It is cancelled when the last of them has been cancelled.
final class JoinedWork<Value: Sendable>: Sendable {
  private struct State {
    var waiting: [Int: CheckedContinuation<Value?, Never>] = [:]
    var nextID = 0
    var value: Value?
    var isAbandoned = false
    /// Nobody else can own it: it outlives whoever asked first, and ends with the last who waits.
    var task: Task<Void, Never>?
  }
  private let state: Guarded<State>

  /// Starts `work` at once.
  init(_ work: @escaping @Sendable () async -> Value) {
    let state = Guarded(State())
    self.state = state
    let task = Task {
      let value = await work()
      let waiting = state.withLock { state -> [CheckedContinuation<Value?, Never>] in
        guard !state.isAbandoned else { return [] }
        state.value = value
        state.task = nil
        defer { state.waiting = [:] }
        return Array(state.waiting.values)
      }
      for waiter in waiting { waiter.resume(returning: value) }
    }
    state.withLock { if $0.value == nil { $0.task = task } }
  }

  /// Whether all who waited have left, so that nothing will come of it.
  var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

  /// Whether the work has yielded its value.
  var hasEnded: Bool { state.withLock { $0.value != nil } }

  /// What the work yields, at once when it has ended; nil when the calling task is cancelled, or the work was abandoned.
  func value() async -> Value? {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let known = state.withLock { state -> Value?? in
          if let value = state.value { return .some(value) }
          if state.isAbandoned || Task.isCancelled { return .some(nil) }
          state.waiting[id] = continuation
          return nil
        }
        if let known { continuation.resume(returning: known) }
      }
    } onCancel: {
      leave(id)
    }
  }

  private func leave(_ id: Int) {
    let (waiter, task) = state.withLock { state in
      let waiter = state.waiting.removeValue(forKey: id)
      guard state.waiting.isEmpty, state.value == nil else {
        return (waiter, nil as Task<Void, Never>?)
      }
      state.isAbandoned = true
      return (waiter, state.task)
    }
    waiter?.resume(returning: nil)
    task?.cancel()
  }
}
