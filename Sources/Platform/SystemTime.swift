internal import CPlatform
internal import Glibc

/// The host's clocks, with one shared timer for every sleeper: it wakes only when something is due.
///
/// The monotonic clock is `CLOCK_BOOTTIME`, which goes on while the host is suspended: a status that
/// was read before a suspension is old afterwards, and a deadline that passed meanwhile is due at once.
/// `CLOCK_MONOTONIC` would stand still and let an hour-old status pass for fresh.
package final class SystemTime: TimeSource {
  /// The one system clock with its one timer.
  package static let shared = SystemTime()

  private typealias Sleeper = CheckedContinuation<Void, any Error>
  private struct State {
    var nextID: UInt64 = 0
    var queue = SleeperQueue<Sleeper>()
    /// What the timer is set to; nil: to nothing.
    var armed: MonotonicInstant?
    /// How often the timer has fired.
    var wakeUps: UInt64 = 0
  }
  private let state = Guarded(State())
  private let timer: Int32

  /// A clock with a timer of its own, for good: what ships uses ``shared`` only.
  init() {
    timer = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_CLOEXEC))
    precondition(
      timer >= 0, "\(PlatformError.current("make", "the timer (too many open files?)"))")
    // One thread for the whole life of the process waits in read(2) on the timer; setting the timer
    // from another thread is all it takes to move that wait.
    startThread(named: "timer") { [self] in
      while true { self.waitAndWake() }
    }
  }

  package var now: MonotonicInstant { MonotonicInstant(sinceOrigin: read(CLOCK_BOOTTIME)) }

  package var wallTime: WallTime {
    let (seconds, attoseconds) = read(CLOCK_REALTIME).components
    return WallTime(
      millisecondsSinceEpoch: seconds &* 1000 &+ attoseconds / 1_000_000_000_000_000)
  }

  /// How often the timer has fired since the start.
  package var wakeUps: UInt64 { state.withLock { $0.wakeUps } }

  /// How many sleep now.
  package var sleeperCount: Int { state.withLock { $0.queue.count } }

  package func sleep(until deadline: MonotonicInstant) async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (sleeper: Sleeper) in
        enum Outcome { case due, cancelled, waiting }
        let outcome = state.withLock { state -> Outcome in
          // The handler below may have run already: then the flag is set, and is seen here.
          if Task.isCancelled { return .cancelled }
          let now = self.now
          if deadline <= now { return .due }
          state.queue.insert(sleeper, id: id, deadline: deadline.coalesced(seenFrom: now))
          arm(&state)
          return .waiting
        }
        switch outcome {
        case .due: sleeper.resume()
        case .cancelled: sleeper.resume(throwing: CancellationError())
        case .waiting: break
        }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        let sleeper = state.queue.remove(id: id)
        if sleeper != nil { arm(&state) }
        return sleeper
      }
      sleeper?.resume(throwing: CancellationError())
    }
  }

  /// Sets the timer to the earliest deadline, when that has changed.
  private func arm(_ state: inout State) {
    guard state.queue.earliest != state.armed else { return }
    state.armed = state.queue.earliest
    var setting = itimerspec()
    if let earliest = state.armed {
      let (seconds, attoseconds) = earliest.sinceOrigin.components
      setting.it_value.tv_sec = Int(clamping: max(seconds, 0))
      // Never zero: that would stop the timer.
      setting.it_value.tv_nsec = Int(clamping: max(attoseconds / 1_000_000_000 + 1, 1))
      if setting.it_value.tv_nsec >= 1_000_000_000 {
        setting.it_value.tv_sec += 1
        setting.it_value.tv_nsec = 0
      }
    }
    unsafe timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &setting, nil)
  }

  private func waitAndWake() {
    var expirations: UInt64 = 0
    _ = retrying { unsafe Glibc.read(timer, &expirations, MemoryLayout<UInt64>.size) }
    let due = state.withLock { state in
      state.wakeUps += 1
      // Spent: whatever is the earliest now has to be set anew.
      state.armed = nil
      let due = state.queue.takeDue(at: now)
      arm(&state)
      return due
    }
    for sleeper in due { sleeper.resume() }
  }

  private func read(_ clock: clockid_t) -> Duration {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}

extension MonotonicInstant {
  /// Deadlines a second or more away move up to the next 1/50 s, so that neighbours share one wake-up.
  func coalesced(seenFrom now: MonotonicInstant) -> MonotonicInstant {
    guard now.duration(to: self) >= .seconds(1) else { return self }
    let grid: Int64 = 20_000_000_000_000_000
    let (seconds, attoseconds) = sinceOrigin.components
    guard attoseconds % grid != 0 else { return self }
    return MonotonicInstant(
      sinceOrigin: Duration(secondsComponent: seconds, attosecondsComponent: 0)
        + Duration(secondsComponent: 0, attosecondsComponent: (attoseconds / grid + 1) * grid))
  }
}
