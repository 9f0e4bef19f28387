internal import Dispatch
internal import Platform

/// Runs tasks on one thread and knows when nothing is left to run: then every task waits for the clock or for the test.
///
/// Yielding some times and hoping that the others have got on does not hold on a busy machine.
package final class IdleExecutor: TaskExecutor {
  private struct State {
    var pending = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
  }
  private let queue = DispatchQueue(label: "idle executor")
  private let state = Guarded(State())

  /// An executor without work.
  package init() {}

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.pending += 1 }
    queue.async { [self] in
      job.runSynchronously(on: asUnownedTaskExecutor())
      let done = state.withLock { state -> [CheckedContinuation<Void, Never>] in
        state.pending -= 1
        guard state.pending == 0 else { return [] }
        defer { state.waiting = [] }
        return state.waiting
      }
      for waiter in done { waiter.resume() }
    }
  }

  /// Returns when nothing is left to run.
  package func idle() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if state.pending > 0 { state.waiting.append(continuation) }
        return state.pending == 0
      }
      if isIdle { continuation.resume() }
    }
  }
}
