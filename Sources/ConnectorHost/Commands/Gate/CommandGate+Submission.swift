internal import ConnectorKit
internal import Platform

// How a command comes in and how it ends.

extension CommandGate {
  /// Takes a command in and waits for its outcome.
  ///
  /// What the gate does for it runs in a task of its own: a backend that is restarted while its command is under way
  /// takes nothing back, and what it owes its far side is stored all the same.
  func submit(
    _ request: CommandRequest, of backend: String, rules: Guarded<CommandPolicy>,
    in contact: CommandContact, work: CommandWork?,
    owing: @escaping @Sendable (CommandOutcome) -> OwedItem?
  ) async -> CommandOutcome {
    let digest = request.command.digest
    let now = time.now
    let isStop = request.command == .emergencyStop
    var id = CommandID(backend: backend, id: request.id)
    let (run, admission) = state.withLock { state in
      var admission = state.admission(id, digest: digest)
      // A stop acts under whatever id it comes; the other command keeps its row.
      if isStop, case .foreign = admission {
        id.id += "#stop"
        admission = state.admission(id, digest: digest)
      }
      let run = CommandRun(
        ticket: state.nextTicket(), id: id, digest: digest, request: request, contact: contact,
        rules: rules, work: work, owing: owing, arrivedAt: now)
      if case .run = admission { state.running[id] = run }
      return (run, admission)
    }
    switch admission {
    case .run:
      Task(executorPreference: executor) { [self] in
        await (isStop ? stop(run) : pass(run))
      }
      return await run.outcome.value() ?? .interrupted
    case .join(let outcome):
      if let refusal = request.refusal {
        // Nobody waits for it, and its far side is owed the end of the one that runs.
        return CommandOutcome(.refused, refusal.reason, refusal.message, isRepeat: true)
      }
      return repeated(run, await outcome.value() ?? .interrupted, isStored: false)
    case .ended(let outcome):
      return repeated(run, outcome, isStored: true)
    case .foreign:
      let outcome = CommandOutcome(
        .refused, .invalid, "this id was used for another command before")
      record(run, outcome)
      return outcome
    }
  }

  /// Answers a command that came again; what its far side is owed is put in again.
  func repeated(_ run: CommandRun, _ outcome: CommandOutcome, isStored: Bool) -> CommandOutcome {
    var answer = outcome
    answer.isRepeat = true
    record(run, answer)
    if isStored, !run.kind.isRead { journal.renew(run.id) }
    if isStored, let owed = run.owed(answer) { journal.end(run.id, outcome, owed: owed) }
    return answer
  }

  /// Ends a command once: gives its turn on, answers, and writes down what came of it.
  ///
  /// - Returns: kept when it has been written, or cannot be now.
  @discardableResult
  func conclude(_ run: CommandRun, _ outcome: CommandOutcome) -> Promise<Void>? {
    let now = time.now
    let mayHaveEffect = outcome.status == .done || outcome.status == .unknown
    remember { ledger, _ in ledger.answered(run.ticket, mayStart: mayHaveEffect, at: now) }
    let (isFirst, next) = state.withLock { state -> (Bool, Promise<GateState.Turn>?) in
      guard state.conclude(run, outcome) else { return (false, nil) }
      if mayHaveEffect, run.changesJob { state.noteChange(at: now) }
      state.turns[run.ticket] = nil
      let next = state.arbiter.finish(run.ticket)
      return (true, next.flatMap { state.turns.removeValue(forKey: $0.ticket) })
    }
    guard isFirst else { return nil }
    next?.resolve(.go)
    record(run, outcome)
    let owed = run.owed(outcome)
    // A refusal at our end is not stored: the command may come again when we are back.
    let isStored = !(outcome.status == .refused && outcome.reason == .interrupted)
    guard isStored, !run.kind.isRead || owed != nil else { return nil }
    let wasSentFirst = outcome.status != .refused && (run.isUrgent || run.kind == .emergencyStop)
    return journal.end(run.id, outcome, owed: owed, intent: wasSentFirst ? intent(run) : nil)
  }

  /// Notes a command that its connector refused itself.
  func noteRefusal(id: String, wireName: String, of backend: String, _ refusal: CommandFailure) {
    let record = AuditRecord(
      at: time.wallTime, backend: backend, commandID: id, action: wireName, digest: "",
      outcome: CommandOutcome(.refused, refusal.reason, refusal.message), latency: .zero)
    note(record)
  }

  /// Notes an outcome for the audit and the page.
  func record(_ run: CommandRun, _ outcome: CommandOutcome) {
    var noted = outcome
    noted.details = nil
    let record = AuditRecord(
      at: time.wallTime, backend: run.id.backend, commandID: run.request.id,
      action: run.request.wireName, digest: run.digest, outcome: noted,
      latency: run.arrivedAt.duration(to: time.now))
    note(record)
  }

  /// Notes a record for the audit and the page.
  func note(_ record: AuditRecord) {
    state.withLock { $0.note(record) }
    audit.write(record)
    noteChange()
  }
}
