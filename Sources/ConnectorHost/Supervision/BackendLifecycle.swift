package import ConnectorKit
package import Platform

/// A backend's life as a pure value: events in, the next ``BackendState`` and what to do out.
///
/// An event that makes no sense in a state changes nothing, so that late reports and late timers are harmless.
package struct BackendLifecycle: Sendable {
  /// What happens to a backend.
  package enum Event: Sendable, Hashable {
    /// It is to run.
    case start
    /// It cannot start yet: its predecessor of the same name has not ended.
    case held(problem: String, remedy: String)
    /// It says how it stands.
    case reported(BackendHealth)
    /// Its make or run ended.
    case ended(BackendEnd)
    /// The back-off's time has come.
    case due
    /// It is to end for good.
    case stop
    /// It was told to end and did not within its grace.
    case graceElapsed
  }
  /// What to do about it.
  package enum Action: Sendable, Hashable {
    /// Make the backend and run it.
    case launch
    /// Send ``Event/due`` at this moment.
    case wake(at: MonotonicInstant)
    /// Cancel the running backend; send ``Event/graceElapsed`` when it takes too long.
    case cancel
    /// Forget the wake-up that was asked for.
    case forgetWake
    /// Leave the running backend to itself: it does not end.
    case abandon
  }

  /// Where the backend stands.
  package private(set) var state: BackendState
  /// How often it was started again.
  package private(set) var restarts: UInt64
  /// The back-off with its memory.
  package private(set) var backoff = Backoff()
  /// Whether it was told to end.
  package private(set) var isStopping = false
  /// Whether make or run is under way.
  package private(set) var isRunning = false
  private var onlineSince: MonotonicInstant?

  /// A backend that nobody started yet.
  ///
  /// - Parameters:
  ///   - isEnabled: whether it is about to be started.
  ///   - restarts: the count that a predecessor of the same name hands on.
  package init(isEnabled: Bool = true, restarts: UInt64 = 0) {
    state = isEnabled ? .starting : .disabled
    self.restarts = restarts
  }

  /// Takes `event`.
  ///
  /// - Parameters:
  ///   - now: the present moment.
  ///   - random: a uniform number in 0..<1, for the back-off's jitter.
  /// - Returns: what to do; nil for nothing.
  package mutating func handle(
    _ event: Event, at now: MonotonicInstant, random: Double
  ) -> Action? {
    switch event {
    case .start: start()
    case .held(let problem, let remedy): hold(problem: problem, remedy: remedy)
    case .reported(let health): report(health, at: now)
    case .ended(let end): ended(end, at: now, random: random)
    case .due: due()
    case .stop: stop()
    case .graceElapsed: graceElapsed()
    }
  }

  private mutating func start() -> Action? {
    guard !isRunning, !isStopping else { return nil }
    switch state {
    case .disabled, .starting, .parked: return launch()
    case .online, .degraded, .backingOff, .stopped: return nil
    }
  }

  private mutating func hold(problem: String, remedy: String) -> Action? {
    guard !isRunning, !isStopping, state == .starting else { return nil }
    state = .parked(problem: problem, remedy: remedy)
    return nil
  }

  private mutating func report(_ health: BackendHealth, at now: MonotonicInstant) -> Action? {
    guard isRunning, !isStopping else { return nil }
    switch health {
    case .online:
      onlineSince = onlineSince ?? now
      state = .online
    case .degraded(let problem, let remedy):
      forgetFailuresIfHealthy(at: now)
      onlineSince = nil
      state = .degraded(problem: problem, remedy: remedy)
    }
    return nil
  }

  private mutating func ended(
    _ end: BackendEnd, at now: MonotonicInstant, random: Double
  ) -> Action? {
    guard isRunning else { return nil }
    isRunning = false
    guard !isStopping else {
      state = .stopped
      return nil
    }
    forgetFailuresIfHealthy(at: now)
    onlineSince = nil
    switch end {
    case .park(let problem, let remedy):
      state = .parked(problem: problem, remedy: remedy)
      return nil
    case .retry(let wanted, let problem):
      let until = now.advanced(by: backoff.failed(wanted: wanted, random: random))
      state = .backingOff(problem: problem, until: until)
      return .wake(at: until)
    }
  }

  private mutating func due() -> Action? {
    guard case .backingOff = state, !isStopping else { return nil }
    restarts += 1
    return launch()
  }

  private mutating func stop() -> Action? {
    guard !isStopping else { return nil }
    isStopping = true
    guard !isRunning else { return .cancel }
    defer { state = .stopped }
    if case .backingOff = state { return .forgetWake }
    return nil
  }

  private mutating func graceElapsed() -> Action? {
    guard isStopping, isRunning, state != .stopped else { return nil }
    state = .stopped
    return .abandon
  }

  private mutating func launch() -> Action {
    isRunning = true
    state = .starting
    return .launch
  }

  private mutating func forgetFailuresIfHealthy(at now: MonotonicInstant) {
    guard let onlineSince, onlineSince.duration(to: now) >= Backoff.healthyPeriod else { return }
    backoff.recovered()
  }
}
