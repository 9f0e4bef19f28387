internal import Platform

/// Lets pass when it is opened; a cancellation does not open it.
package final class Gate: Sendable {
  /// A closed gate.
  package init() {}
  private let state = Guarded<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>(
    (false, []))
  /// Lets all through, for ever.
  package func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for waiter in waiting { waiter.resume() }
  }
  /// Waits until it is open.
  package func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }
}

/// Suspends until cancelled, then throws.
package func forever() async throws {
  let gate = Gate()
  await withTaskCancellationHandler {
    await gate.wait()
  } onCancel: {
    gate.open()
  }
  throw CancellationError()
}
