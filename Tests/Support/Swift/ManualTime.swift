package import Platform

/// A clock that stands still until a test moves it; the test waits for a sleeper's deadline and advances to it.
///
/// Hand-shake, never guess: `await time.nextDeadline()` (or `sleepers(atLeast:)`) returns when the code under
/// test has gone to sleep, so that a following `advance` cannot come too early.
package final class ManualTime: TimeSource {
  private struct Sleeper {
    var deadline: MonotonicInstant
    var continuation: CheckedContinuation<Void, any Error>
  }
  private struct Observer {
    var count: Int
    var continuation: CheckedContinuation<Void, Never>
  }
  private struct State {
    var now = MonotonicInstant(sinceOrigin: .seconds(1_000))
    var wallOffset: Duration = .zero
    var nextID = 0
    var sleepers: [Int: Sleeper] = [:]
    var observers: [Observer] = []

    /// The observers who see as many sleepers as they wait for; they are taken out.
    mutating func takeSatisfied() -> [Observer] {
      let satisfied = observers.filter { $0.count <= sleepers.count }
      observers.removeAll { $0.count <= sleepers.count }
      return satisfied
    }
  }
  private let state = Guarded(State())
  private let wallTimeAtOrigin: WallTime

  /// A clock at 1,000 s, whose wall time is `wallTime` then.
  package init(wallTime: WallTime = WallTime(millisecondsSinceEpoch: 1_795_162_973_000)) {
    wallTimeAtOrigin = wallTime
  }

  package var now: MonotonicInstant { state.withLock { $0.now } }

  package var wallTime: WallTime {
    state.withLock { state in
      wallTimeAtOrigin.advanced(by: state.now.sinceOrigin - .seconds(1_000) + state.wallOffset)
    }
  }

  package func sleep(until deadline: MonotonicInstant) async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        enum Outcome { case due, cancelled, waiting }
        let (outcome, observers) = state.withLock { state -> (Outcome, [Observer]) in
          if Task.isCancelled { return (.cancelled, []) }
          if state.now >= deadline { return (.due, []) }
          state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
          return (.waiting, state.takeSatisfied())
        }
        switch outcome {
        case .due: continuation.resume()
        case .cancelled: continuation.resume(throwing: CancellationError())
        case .waiting: break
        }
        for observer in observers { observer.continuation.resume() }
      }
    } onCancel: {
      let sleeper = state.withLock { $0.sleepers.removeValue(forKey: id) }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Waits until at least `count` tasks sleep on this clock.
  package func sleepers(atLeast count: Int) async {
    await withCheckedContinuation { continuation in
      let isSatisfied = state.withLock { state in
        if state.sleepers.count >= count { return true }
        state.observers.append(Observer(count: count, continuation: continuation))
        return false
      }
      if isSatisfied { continuation.resume() }
    }
  }

  /// The earliest deadline that somebody sleeps for; waits until there is one.
  package func nextDeadline() async -> MonotonicInstant {
    while true {
      if let earliest = deadlines.first { return earliest }
      await sleepers(atLeast: 1)
    }
  }

  /// The deadlines that are slept for now, earliest first.
  package var deadlines: [MonotonicInstant] {
    state.withLock { $0.sleepers.values.map(\.deadline).sorted() }
  }

  /// Moves the clock to `instant` (never back) and wakes all that is due, earliest first.
  package func advance(to instant: MonotonicInstant) {
    let due = state.withLock { state -> [Sleeper] in
      state.now = max(state.now, instant)
      let ids = state.sleepers.filter { $0.value.deadline <= state.now }.map(\.key)
      return ids.compactMap { state.sleepers.removeValue(forKey: $0) }
        .sorted { $0.deadline < $1.deadline }
    }
    for sleeper in due { sleeper.continuation.resume() }
  }

  /// Moves the clock by `duration` and wakes all that is due.
  package func advance(by duration: Duration) { advance(to: now.advanced(by: duration)) }

  /// Waits for the earliest deadline and moves the clock to it.
  package func advanceToNextDeadline() async { advance(to: await nextDeadline()) }

  /// Sets the wall clock forward or back, as NTP or a person does; the monotonic clock goes on.
  package func shiftWallClock(by duration: Duration) {
    state.withLock { $0.wallOffset += duration }
  }
}
