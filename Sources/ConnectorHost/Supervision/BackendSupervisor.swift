package import ConnectorKit
package import Platform

/// Runs one backend under its ``BackendLifecycle``: starts it, keeps its failures to itself, starts it again, ends it.
///
/// The only place with unstructured tasks: a backend that ignores its cancellation has to be left behind, which
/// no task group can do. Safe from any thread; nothing here waits for the backend, except ``stop(grace:)``.
package final class BackendSupervisor: Sendable {
  /// Makes the backend and runs it; reports go to `report` and count until the call ends.
  package typealias Body =
    @Sendable (_ report: @escaping @Sendable (BackendHealth) -> Void) async throws -> Void

  /// A backend's state at one moment.
  package struct Standing: Sendable, Hashable {
    /// Where it stands.
    package var state: BackendState
    /// Since when.
    package var since: MonotonicInstant
    /// How often it was started again.
    package var restarts: UInt64
  }

  /// How long a backend may take to end after its cancellation: a pairing under way is finished first.
  package static let usualGrace = BackendContext.finishingTime + .milliseconds(200)

  private struct Slot {
    var lifecycle: BackendLifecycle
    var since: MonotonicInstant
    /// Counts the starts: what an ended run still says does not count.
    var run: UInt64 = 0
    var task: Task<Void, Never>?
    var timer: Task<Void, Never>?
    var changesInLog = LineBudget()
    /// The former holder of the name, until its run has ended.
    var predecessor: BackendSupervisor?
  }

  private let slot: Guarded<Slot>
  private let time: any TimeSource
  private let log: Log
  private let random: @Sendable () -> Double
  private let body: Body
  private let onChange: @Sendable () -> Void
  private let stopped = Completion()
  private let gone = Completion()

  /// A supervisor that has not started anything.
  ///
  /// - Parameters:
  ///   - isEnabled: whether it is about to be started.
  ///   - predecessor: the former holder of the same name: this one starts when that one's run has ended.
  ///   - random: a uniform number in 0..<1, for jitter.
  ///   - onChange: told whenever the backend comes into another state; must be quick.
  ///   - body: makes and runs the backend.
  package init(
    time: any TimeSource, log: Log, random: @escaping @Sendable () -> Double,
    isEnabled: Bool = true, predecessor: BackendSupervisor? = nil,
    onChange: @escaping @Sendable () -> Void = {}, body: @escaping Body
  ) {
    self.onChange = onChange
    self.time = time
    self.log = log
    self.random = random
    self.body = body
    let restarts = predecessor.map { $0.standing.restarts + 1 } ?? 0
    slot = Guarded(
      Slot(
        lifecycle: BackendLifecycle(isEnabled: isEnabled, restarts: restarts), since: time.now,
        predecessor: predecessor))
  }

  /// Where the backend stands.
  package var standing: Standing {
    slot.withLock {
      Standing(state: $0.lifecycle.state, since: $0.since, restarts: $0.lifecycle.restarts)
    }
  }

  /// Starts the backend, or starts a parked one again. Returns at once.
  package func start() {
    guard let predecessor = slot.withLock({ $0.predecessor }) else { return handle(.start) }
    Task { [self] in
      await predecessor.stopped.wait()
      if !predecessor.isGone {
        handle(
          .held(
            problem: "its former run does not end",
            remedy: "it starts when that has ended; else restart \(Product.name)"))
      }
      await predecessor.waitUntilGone()
      // A chain of replacements must not keep every former backend in memory.
      slot.withLock { $0.predecessor = nil }
      handle(.start)
    }
  }

  /// Tells the backend to end. Returns at once; idempotent.
  ///
  /// - Parameter grace: how long it may take before it is left behind.
  package func requestStop(grace: Duration = usualGrace) { handle(.stop, grace: grace) }

  /// Ends the backend: returns when it has ended, or when `grace` is over and it was left behind.
  package func stop(grace: Duration = usualGrace) async {
    requestStop(grace: grace)
    await stopped.wait()
  }

  /// Returns when nothing of this backend or of its predecessors runs any more, however long that takes.
  package func waitUntilGone() async {
    await slot.withLock { $0.predecessor }?.waitUntilGone()
    await gone.wait()
  }

  /// Returns when nothing of this backend's predecessors runs any more, however long that takes.
  package func waitUntilPredecessorsAreGone() async {
    await slot.withLock { $0.predecessor }?.waitUntilGone()
  }

  /// Whether nothing of this backend or of its predecessors runs any more, and never will.
  package var isGone: Bool {
    gone.isDone && slot.withLock { $0.predecessor }?.isGone ?? true
  }

  // MARK: - Events

  /// What an event leaves to do once the lock is released.
  private struct Aftermath {
    var isStopped = false
    var isGone = false
    var isOther = false
    /// Cancelled outside of the lock: a cancellation handler may report.
    var cancelled: [Task<Void, Never>?] = []
  }

  private func handle(
    _ event: BackendLifecycle.Event, run: UInt64? = nil, grace: Duration = usualGrace
  ) {
    let now = time.now
    let chance = random()
    let aftermath = slot.withLock { slot -> Aftermath in
      if let run, run != slot.run { return Aftermath() }
      let before = slot.lifecycle.state
      let action = slot.lifecycle.handle(event, at: now, random: chance)
      let after = slot.lifecycle.state
      var aftermath = Aftermath()
      perform(action, at: now, grace: grace, on: &slot, &aftermath)
      aftermath.isStopped = after == .stopped
      aftermath.isGone = aftermath.isStopped && !slot.lifecycle.isRunning
      if aftermath.isGone {
        aftermath.cancelled.append(slot.timer)
        slot.timer = nil
        slot.task = nil
      }
      if after != before {
        slot.since = now
        aftermath.isOther = true
        // Under the lock: in the order of the changes, and there before somebody acts on one.
        let line = logLine(for: after, action: action, at: now, budget: &slot.changesInLog)
        if let line { log(line.level, line.text) }
      }
      return aftermath
    }
    for task in aftermath.cancelled { task?.cancel() }
    if aftermath.isOther { onChange() }
    if aftermath.isStopped { stopped.complete() }
    if aftermath.isGone { gone.complete() }
  }

  private func perform(
    _ action: BackendLifecycle.Action?, at now: MonotonicInstant, grace: Duration,
    on slot: inout Slot, _ aftermath: inout Aftermath
  ) {
    switch action {
    case nil: break
    case .launch:
      slot.run += 1
      slot.task = launch(run: slot.run)
    case .wake(let instant):
      slot.task = nil
      slot.timer = wake(at: instant, with: .due, run: slot.run)
    case .forgetWake:
      aftermath.cancelled.append(slot.timer)
      slot.timer = nil
    case .cancel:
      aftermath.cancelled.append(slot.task)
      slot.timer = wake(at: now.advanced(by: grace), with: .graceElapsed, run: slot.run)
    case .abandon:
      slot.timer = nil
    }
  }

  private func launch(run: UInt64) -> Task<Void, Never> {
    Task { [self] in
      var failure: (any Error)?
      do {
        try await body { [weak self] health in self?.handle(.reported(health), run: run) }
      } catch {
        failure = error
      }
      handle(.ended(BackendEnd(failure)), run: run)
    }
  }

  private func wake(
    at instant: MonotonicInstant, with event: BackendLifecycle.Event, run: UInt64
  ) -> Task<Void, Never> {
    Task { [self] in
      do { try await time.sleep(until: instant) } catch { return }
      handle(event, run: run)
    }
  }

  // MARK: - Log

  private struct LogLine {
    var level: LogLevel
    var text: String
  }

  private func logLine(
    for state: BackendState, action: BackendLifecycle.Action?, at now: MonotonicInstant,
    budget: inout LineBudget
  ) -> LogLine? {
    if action == .abandon {
      return LogLine(
        level: .error,
        text: "does not end although it was cancelled; it is left behind and not started again")
    }
    switch budget.take(at: now) {
    case .spent: return nil
    case .last:
      return LogLine(
        level: .warning, text: "changes its state too often; further changes are logged sparingly")
    case .fine: break
    }
    return LogLine(level: Self.level(of: state), text: Self.text(for: state, at: now))
  }

  private static func level(of state: BackendState) -> LogLevel {
    switch state {
    case .starting: .debug
    case .disabled, .online, .stopped: .info
    case .degraded, .backingOff: .warning
    case .parked: .error
    }
  }

  private static func text(for state: BackendState, at now: MonotonicInstant) -> String {
    switch state {
    case .disabled, .starting, .online, .stopped: state.name
    case .degraded(let problem, let remedy), .parked(let problem, let remedy):
      "\(state.name): \(problem)" + (remedy.isEmpty ? "" : "; \(remedy)")
    case .backingOff(let problem, let until):
      "\(state.name): \(problem); next try in \(max(0, now.duration(to: until).components.seconds)) s"
    }
  }
}
