internal import Platform

/// A value that comes once; any number may wait for it.
final class Promise<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var nextID: UInt64 = 0
    /// In order, so that a run can be repeated.
    var waiters: [(id: UInt64, continuation: CheckedContinuation<Value?, Never>)] = []
  }
  private enum Outcome { case wait, resume(Value?) }
  private let state = Guarded(State())

  /// The value, where it is there.
  var current: Value? { state.withLock { $0.value } }

  /// Gives the value; a second one is ignored. Safe from any thread.
  ///
  /// - Returns: whether it was the first.
  @discardableResult
  func resolve(_ value: Value) -> Bool {
    let waiters = state.withLock { state -> [CheckedContinuation<Value?, Never>]? in
      guard state.value == nil else { return nil }
      state.value = value
      defer { state.waiters = [] }
      return state.waiters.map(\.continuation)
    }
    for waiter in waiters ?? [] { waiter.resume(returning: value) }
    return waiters != nil
  }

  /// Waits for the value; nil when the task is cancelled before it is there.
  func value() async -> Value? {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let outcome = state.withLock { state -> Outcome in
          if let value = state.value { return .resume(value) }
          if Task.isCancelled { return .resume(nil) }
          state.waiters.append((id, continuation))
          return .wait
        }
        if case .resume(let value) = outcome { continuation.resume(returning: value) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
      }
      waiter?.continuation.resume(returning: nil)
    }
  }

  /// Waits for the value; nil when it is not there after `limit`, or when the task is cancelled.
  func value(within limit: Duration, time: any TimeSource) async -> Value? {
    if let current { return current }
    return await withTaskGroup(of: Value?.self) { group in
      group.addTask { await self.value() }
      group.addTask {
        try? await time.sleep(for: limit)
        return self.current
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }
}
