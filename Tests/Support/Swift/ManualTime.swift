package import Platform

/// A clock that stands still until a test moves it; the test waits for a sleeper's deadline and advances to it.
package final class ManualTime: TimeSource {
  private struct Sleeper {
    var deadline: MonotonicInstant
    var continuation: CheckedContinuation<Void, any Error>
  }
  private struct State {
    var now = MonotonicInstant(sinceOrigin: .seconds(1_000))
    var nextID = 0
    var sleepers: [Int: Sleeper] = [:]
    var observers: [CheckedContinuation<MonotonicInstant, Never>] = []
  }
  private let state = Guarded(State())
  private let wallTimeAtOrigin: WallTime

  /// A clock at 1,000 s, whose wall time is `wallTime` then.
  package init(wallTime: WallTime = WallTime(millisecondsSinceEpoch: 1_795_162_973_000)) {
    wallTimeAtOrigin = wallTime
  }

  package var now: MonotonicInstant { state.withLock { $0.now } }

  package var wallTime: WallTime {
    let passed = now.sinceOrigin - .seconds(1_000)
    let parts = passed.components
    return WallTime(
      millisecondsSinceEpoch: wallTimeAtOrigin.millisecondsSinceEpoch + parts.seconds * 1_000
        + parts.attoseconds / 1_000_000_000_000_000)
  }

  package func sleep(until deadline: MonotonicInstant) async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        enum Outcome { case due, cancelled, waiting }
        let (outcome, observers) = state.withLock {
          state -> (Outcome, [CheckedContinuation<MonotonicInstant, Never>]) in
          if Task.isCancelled { return (.cancelled, []) }
          if state.now >= deadline { return (.due, []) }
          state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
          defer { state.observers = [] }
          return (.waiting, state.observers)
        }
        switch outcome {
        case .due: continuation.resume()
        case .cancelled: continuation.resume(throwing: CancellationError())
        case .waiting: break
        }
        for observer in observers { observer.resume(returning: deadline) }
      }
    } onCancel: {
      let sleeper = state.withLock { $0.sleepers.removeValue(forKey: id) }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// The earliest deadline that somebody sleeps for; waits until there is one.
  package func nextDeadline() async -> MonotonicInstant {
    await withCheckedContinuation { continuation in
      let earliest = state.withLock { state -> MonotonicInstant? in
        if let earliest = state.sleepers.values.map(\.deadline).min() { return earliest }
        state.observers.append(continuation)
        return nil
      }
      if let earliest { continuation.resume(returning: earliest) }
    }
  }

  /// The deadlines that are slept for now, earliest first.
  package var deadlines: [MonotonicInstant] {
    state.withLock { $0.sleepers.values.map(\.deadline).sorted() }
  }

  /// Moves the clock to `instant` (never back) and wakes all that is due.
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
}
