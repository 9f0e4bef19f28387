internal import ConnectorKit
internal import JSON
internal import Platform

/// The one gate: every command of every backend passes it, and nothing else reaches the printer.
///
/// Its memory is one value under a lock that is never held across a suspension, so that nobody waits for anybody inside of
/// it: an emergency stop goes out while the disk hangs and while a homing runs. What a command goes through is written
/// down in `CommandGate+Run.swift`, from top to bottom.
final class CommandGate: Sendable {
  let status: any StatusSource
  let printer: any CommandExecutor
  let journal: GateJournal
  let audit: any AuditSink
  let time: any TimeSource
  let log: Log
  let state = Guarded(GateState())
  /// Where its tasks run; nil: where all do. Tests run them one by one.
  let executor: (any TaskExecutor)?
  private let events: Subscription<PrinterEvent>
  private let observer = Guarded<(@Sendable () -> Void)?>(nil)

  /// A gate. It listens to the printer from now on: make it before the connection to Moonraker is started.
  ///
  /// - Parameters:
  ///   - status: the one cache.
  ///   - printer: what carries commands to it.
  ///   - store: journal, manifest and values.
  ///   - audit: where each outcome is noted.
  ///   - onOwed: told the backend whose outbox has got something new. Must be quick.
  ///   - owe: puts into the backend's outbox what the store does not take with a command's end.
  init(
    status: any StatusSource, printer: any CommandExecutor, store: any CommandStore,
    audit: any AuditSink, time: any TimeSource, log: Log, executor: (any TaskExecutor)? = nil,
    onOwed: @escaping @Sendable (_ backend: String) -> Void,
    owe: @escaping @Sendable (_ backend: String, OwedItem) async -> Void
  ) {
    self.status = status
    self.printer = printer
    self.audit = audit
    self.time = time
    self.log = log
    self.executor = executor
    journal = GateJournal(
      store: store, time: time, log: log, executor: executor, onOwed: onOwed, owe: owe)
    events = status.events()
  }

  /// Reads what a former run stored. Call it before the connection to Moonraker is started; it takes at most 5 s, and what
  /// could not be read then is tried again with the next command.
  func open() async { await load(within: GateJournal.patience) }

  /// Follows the printer until cancelled.
  func run() async {
    var missed: UInt64 = 0
    for await event in events {
      if events.skipped != missed {
        missed = events.skipped
        remember { $0.missed(at: $1) }
        state.withLock { $0.forgetHeaters() }
      }
      follow(event)
    }
  }

  /// Has `body` told whenever what ``view`` shows has changed. It must be quick and not ask the gate.
  func onChange(_ body: @escaping @Sendable () -> Void) { observer.withLock { $0 = body } }

  /// What ``view`` shows has changed; not under the lock.
  func noteChange() { observer.withLock { $0 }?() }

  /// The entrance of one backend. A reload that changes its rules gives them to the same entrance.
  func entrance(of backend: String, _ policy: CommandPolicy) -> GateEntrance {
    GateEntrance(backend: backend, policy: policy, gate: self)
  }

  /// How things stand. Never blocks, safe from any thread.
  var view: GateView {
    let problem = journal.problem
    return state.withLock { state in
      GateView(
        recent: state.records, outcomes: state.recordCount, bed: state.ledger.bed,
        readOnly: state.readOnly,
        busy: state.arbiter.current, waiting: state.arbiter.waiting.count,
        unfinished: state.running.count, job: state.ledger.job, journalProblem: problem)
    }
  }

  /// Whether what starts by itself may start, as far as the bed is concerned. Never blocks.
  var isBedClear: Bool { state.withLock { $0.ledger.bed.isClear && $0.ledger.job == nil } }

  /// Notes an answer of a backend's far side; what goes on with a late answer is as late.
  func contact(
    of backend: String, continuing former: CommandContact?, maximumAge: Duration
  ) -> CommandContact {
    let now = time.now
    let previous = state.withLock { $0.contacts.updateValue(now, forKey: backend) }
    if let former, former.isAfterGap(longerThan: maximumAge) {
      return CommandContact(backend: backend, at: now, previous: former.previous)
    }
    return CommandContact(backend: backend, at: now, previous: previous)
  }

  /// Ends the gate: takes nothing new, lets what runs end, and after `limit` notes what still runs as unknown.
  ///
  /// Emergency stops go out until the very end. Returns after at most twice `limit`.
  func finish(within limit: Duration) async {
    let waiting = state.withLock { state in
      state.isEnding = true
      defer { state.turns = [:] }
      return state.turns.sorted { $0.key < $1.key }.map(\.value)
    }
    for turn in waiting { turn.resolve(.ending) }
    let deadline = time.now.advanced(by: limit)
    for run in running() {
      let left = time.now.duration(to: deadline)
      guard left > .zero else { break }
      _ = await run.outcome.value(within: left, time: time)
    }
    for run in running() {
      conclude(run, .interrupted)
      run.outcome.resolve(.interrupted)
    }
    journal.close()
    let settled = Promise<Void>()
    Task(executorPreference: executor) { [journal] in
      await journal.settled()
      settled.resolve(())
    }
    _ = await settled.value(within: limit, time: time)
  }

  /// Whether a command has not ended yet.
  func isUnfinished(_ run: CommandRun) -> Bool {
    state.withLock { $0.running[run.id]?.ticket == run.ticket }
  }

  private func running() -> [CommandRun] {
    state.withLock { $0.running.values.sorted { $0.ticket < $1.ticket } }
  }

  // MARK: What is stored

  /// Changes what is known of jobs and the bed, and stores what changed.
  func remember(_ change: (inout JobLedger, WallTime) -> Void) {
    let wallTime = time.wallTime
    let (owners, isChanged) = state.withLock { state -> (String?, Bool) in
      let (before, job) = (state.ledger.values, state.ledger.job)
      change(&state.ledger, wallTime)
      let changed = state.ledger.values.filter { before[$0.key] != $0.value }
      // Under the lock, so that the newest is written last.
      if !changed.isEmpty { journal.save(changed) }
      guard let new = state.ledger.job, new != job, new.owner == nil else {
        return (nil, !changed.isEmpty)
      }
      return (new.filename, !changed.isEmpty)
    }
    if isChanged { noteChange() }
    // A file that was started at the printer itself is the owner's from then on.
    if let path = owners.flatMap({ GCodePath($0) }) { journal.forget(path) }
  }

  /// Reads what a former run stored, where that has not been done.
  func load(within limit: Duration) async {
    guard !state.withLock({ $0.isLoaded }),
      let values = await journal.values(JobLedger.valueNames + ["read_only"], within: limit)
    else { return }
    state.withLock { state in
      guard !state.isLoaded else { return }
      state.isLoaded = true
      state.ledger.load(values)
      if state.readOnly.since == nil { state.readOnly = ReadOnlySwitch(values["read_only"]) }
    }
  }

  // MARK: The printer

  private func follow(_ event: PrinterEvent) {
    let now = time.now
    switch event {
    case .job(.started, _, let filename):
      remember { $0.started(filename, at: now, wallTime: $1) }
    case .job(.finished, _, let filename), .job(.cancelled, _, let filename),
      .job(.failed, _, let filename):
      remember { $0.ended(filename, at: $1) }
    case .link(isUp: false):
      remember { ledger, _ in ledger.lost(at: now) }
      state.withLock { $0.forgetHeaters() }
    case .klippy(let klippy, _): if klippy != .ready { state.withLock { $0.forgetHeaters() } }
    case .job, .link, .printState, .webcams: break
    }
    look()
    state.withLock { $0.takeNews() }.resolve(())
  }

  /// Takes in what the printer shows now.
  @discardableResult
  func look() -> PrinterStatus {
    let now = time.now
    let seen = status.trusted(at: now)
    remember { $0.look(seen, at: now, wallTime: $1) }
    return seen
  }
}
