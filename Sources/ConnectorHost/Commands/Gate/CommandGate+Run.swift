internal import ConnectorKit
internal import JSON
internal import Platform

// A command's way through the gate, from top to bottom.

extension CommandGate {
  /// Passes a command, or refuses it, and ends it.
  func pass(_ run: CommandRun) async {
    let outcome: CommandOutcome
    do throws(CommandFailure) {
      switch try await lookUp(run) {
      case .new: break
      case .ended(let stored):
        state.withLock { $0.dismiss(run) }
        run.outcome.resolve(repeated(run, stored, isStored: true))
        return
      case .unusable(let problem):
        let refusal = CommandOutcome(.refused, .invalid, problem)
        state.withLock { $0.dismiss(run) }
        record(run, refusal)
        run.outcome.resolve(refusal)
        return
      }
      let reading = try await admit(run)
      if run.kind.movesOrHeats {
        try await takeTurn(run, reading)
      } else {
        // Before the printer's state is looked at: what it is meant for may not have begun.
        if run.kind == .cancel, endStarts(before: run) {
          try await begin(run)
          await answer(run, .done())
          return
        }
        try await settle(run, reading)
      }
      try await begin(run)
      outcome = await execute(run, reading)
    } catch {
      outcome = CommandOutcome(.refused, error.reason, error.message)
    }
    await answer(run, outcome)
  }

  private func answer(_ run: CommandRun, _ outcome: CommandOutcome) async {
    guard let written = conclude(run, outcome) else {
      run.outcome.resolve(outcome)
      return
    }
    // A result that is owed is on the disk when the backend hears of it, where the disk is able to.
    if !run.isUrgent, journal.problem == nil {
      _ = await written.value(within: GateJournal.patience, time: time)
    }
    run.outcome.resolve(outcome)
  }

  // MARK: Known already?

  private enum Known {
    case new
    case ended(CommandOutcome)
    /// Nothing can be written under its id.
    case unusable(String)
  }

  /// What the journal knows of it.
  private func lookUp(_ run: CommandRun) async throws(CommandFailure) -> Known {
    guard (1...256).contains(run.request.id.utf8.count) else {
      return .unusable("its id is empty or longer than 256 bytes")
    }
    // What its backend gives up at the end is to be known in the next life.
    if run.request.refusal == nil { try refuseAtEnd() }
    if run.kind.isRead { return .new }
    await load(within: patience(run))
    guard let stored = await journal.lookUp(run.id, within: patience(run)),
      state.withLock({ $0.isLoaded })
    else {
      if run.isUrgent || run.request.refusal != nil { return .new }
      throw CommandFailure(.journal, "the journal cannot be read")
    }
    guard let stored else { return .new }
    // A refusal was never begun and has no digest; a look that was answered has none either, and is no command's end.
    guard
      stored.digest == run.digest || stored.digest.isEmpty && stored.outcome?.status == .refused
    else {
      return .unusable("this id was used for another command before")
    }
    // A row without an end is of a former life that did not see it.
    return .ended(stored.outcome ?? .interrupted)
  }

  /// How long it waits for the disk: pause and cancel 250 ms in all.
  private func patience(_ run: CommandRun) -> Duration {
    guard run.isUrgent else { return GateJournal.patience }
    let taken = run.arrivedAt.duration(to: time.now) - run.waited.withLock { $0 }
    return max(.zero, GateJournal.urgentPatience - taken)
  }

  // MARK: The rules

  /// Checks all but what may change while a command waits.
  private func admit(_ run: CommandRun) async throws(CommandFailure) -> CommandReading {
    if let refusal = run.request.refusal { throw refusal }
    guard run.contact.takePlace() else {
      throw CommandFailure(
        .tooMany, "more than \(CommandContact.limit) commands came in one answer")
    }
    let reading = try CommandReading(run.request.command)
    let limits = await heaterLimits(for: reading)
    try run.policy.check(reading, look(), limits: limits)
    try refuseReadOnly(run)
    try Freshness.check(
      run.kind, age: run.request.age, in: run.contact, at: run.arrivedAt,
      maximumAge: run.policy.maximumCommandAge, job: state.withLock { $0.jobStart })
    return reading
  }

  /// So long a command waits for the printer to tell of the effect of the one before.
  private static let newsPatience = Duration.seconds(1)

  /// Judges a command; where it does not fit and one of ours has just ended, what the printer tells next is judged too.
  private func settle(_ run: CommandRun, _ reading: CommandReading) async throws(CommandFailure) {
    let begin = time.now
    defer { run.waited.withLock { $0 += begin.duration(to: time.now) } }
    let isUnsettled = state.withLock { $0.isUnsettled(at: begin) }
    while true {
      // Taken before the look, so that nothing falls between.
      let news = state.withLock { $0.news }
      do throws(CommandFailure) {
        return try judge(run, reading)
      } catch {
        let left = Self.newsPatience - begin.duration(to: time.now)
        guard isUnsettled, error.reason == .wrongState, left > .zero,
          await news.value(within: left, time: time) != nil
        else { throw error }
      }
    }
  }

  /// Checks what may change while a command waits: the switch, the rules, the printer's state, the bed.
  private func judge(_ run: CommandRun, _ reading: CommandReading) throws(CommandFailure) {
    try refuseAtEnd()
    try refuseReadOnly(run)
    let seen = look()
    let now = time.now
    let (bed, job, isJobDue, isStarting, limits, quietSince) = state.withLock {
      (
        $0.ledger.bed, $0.ledger.job, $0.ledger.isJobDue(at: now), $0.arbiter.isStarting,
        $0.heaterLimits, $0.ledger.quietSince
      )
    }
    try run.policy.check(reading, seen, limits: limits)
    try StateCheck(status: seen, limits: limits, isStarting: isStarting).check(reading)
    if isJobDue, run.kind.movesOrHeats, run.kind != .resume {
      throw CommandFailure(.wrongState, "a job is about to begin")
    }
    let startsItself =
      switch reading.command {
      case .start(_, .itself), .startQueue: true
      default: false
      }
    let starts =
      run.kind == .start || reading.effects.contains(.start)
      || (reading.effects.contains(.startOrResume) && seen.printState != "paused")
    guard startsItself || (starts && run.policy.requiresClearBed) else { return }
    // While a job's end is on its way to us, the bed is not clear any more.
    let isAssumedClear =
      startsItself && !run.policy.requiresClearBed
      && run.request.assumesClearAfter.map { limit in
        quietSince.map { $0.duration(to: now) >= limit } ?? false
      } ?? false
    guard bed.isClear || isAssumedClear, job == nil else {
      throw CommandFailure(
        .bedOccupied, "the bed is not known to be clear; say so with printer-uplink bed-cleared")
    }
  }

  /// Checks that nobody has turned off meanwhile what the command may do.
  ///
  /// - Throws: `CommandFailure`.
  func checkPermission(_ run: CommandRun) throws(CommandFailure) {
    try refuseReadOnly(run)
    try run.policy.check(try CommandReading(run.request.command), look())
  }

  private func refuseReadOnly(_ run: CommandRun) throws(CommandFailure) {
    guard run.kind.isRead || !state.withLock({ $0.readOnly.isOn }) else {
      throw CommandFailure(.readOnly, "read-only is on: a person has to lift it here")
    }
  }

  private func refuseAtEnd() throws(CommandFailure) {
    if state.withLock({ $0.isEnding }) {
      throw CommandFailure(.interrupted, "printer-uplink is ending")
    }
  }

  // MARK: The turn

  /// A cancel ends starts and resumes that have not been sent.
  ///
  /// - Returns: whether that was all there is to do: no job runs, and none is about to show.
  private func endStarts(before run: CommandRun) -> Bool {
    let isJobOn = StateCheck(status: look()).isJobOn
    let now = time.now
    let (turns, isAll) = state.withLock { state in
      let isEarly = state.supersede(before: run.ticket) { $0.beginsJob }
      let (waiting, isAny) = state.arbiter.cancelStarts()
      return (
        state.takeTurns(waiting), (isAny || isEarly) && !isJobOn && !state.isStarting(at: now)
      )
    }
    for turn in turns { turn.resolve(.superseded) }
    return isAll
  }

  private func takeTurn(
    _ run: CommandRun, _ reading: CommandReading
  ) async throws(CommandFailure) {
    var isSettled = true
    do throws(CommandFailure) { try judge(run, reading) } catch {
      // Where a moment may help, it is waited for with the turn: what comes behind stays behind.
      isSettled = !state.withLock { $0.isUnsettled(at: time.now) } || error.reason != .wrongState
      if isSettled { throw error }
    }
    let turn = Promise<GateState.Turn>()
    let entry = run.entry
    let answer = state.withLock { state -> Arbiter.Answer? in
      if run.isSuperseded.withLock({ $0 }) { return nil }
      let answer = state.arbiter.request(entry)
      if answer == .wait { state.turns[run.ticket] = turn }
      return answer
    }
    noteChange()
    switch answer {
    case nil: throw Self.superseded
    case .turn: return isSettled ? () : try await settle(run, reading)
    case .busy(let other):
      throw CommandFailure(.busy, "\(other.backend) is busy with \(other.wireName)")
    case .full: throw CommandFailure(.busy, "too many commands wait already")
    case .stopped: throw CommandFailure(.superseded, "an emergency stop is under way")
    case .wait: break
    }
    switch await turn.value() ?? .ending {
    case .go: try await settle(run, reading)
    case .superseded: throw Self.superseded
    case .ending: throw CommandFailure(.interrupted, "printer-uplink is ending")
    }
  }

  static var superseded: CommandFailure {
    CommandFailure(.superseded, "a stop or a cancel came before its turn")
  }

  // MARK: The row

  private func begin(_ run: CommandRun) async throws(CommandFailure) {
    if run.kind.isRead { return }
    if case .start(let path, _) = run.request.command {
      // On the disk before the row is: a start that we do not live to see may have laid something on the bed.
      remember { ledger, _ in
        ledger.expect(run.ticket, backend: run.id.backend, path: path.text)
      }
    }
    guard await journal.begin(intent(run), within: patience(run)) || run.isUrgent else {
      throw CommandFailure(.journal, "the journal cannot be written")
    }
  }

  /// Its row.
  func intent(_ run: CommandRun) -> CommandIntent {
    CommandIntent(
      id: run.id, wireName: run.request.wireName, kind: run.kind, digest: run.digest,
      at: time.wallTime, owedIfInterrupted: run.owed(.interrupted))
  }

  // MARK: The printer

  private func execute(_ run: CommandRun, _ reading: CommandReading) async -> CommandOutcome {
    do throws(CommandFailure) {
      var details: JSONValue?
      if let work = run.work {
        // The disk may have taken its time.
        try checkPermission(run)
        details = try await self.work(run, work)
      }
      switch reading.command {
      case .upload, .backup:
        guard run.work != nil else { throw CommandFailure(.invalid, "nothing to bring") }
        return .done(details)
      case .deleteFile(let path):
        try await checkDeletion(of: path, run)
      case .raw(let request):
        if case .files(let paths) = request.effect {
          for path in paths { try await printer.checkInside(path) }
        }
      default: break
      }
      // The last look: the disk and the work may have taken their time.
      do throws(CommandFailure) {
        try await settle(run, reading)
        try markSent(run, reading)
      } catch {
        return CommandOutcome(.refused, error.reason, error.message)
      }
      let result = try await perform(
        reading.command, within: Self.limit(run.kind), answering: run)
      if case .deleteFile(let path) = reading.command { journal.forget(path) }
      return .done(result ?? details)
    } catch {
      return Self.outcome(of: error)
    }
  }

  private func markSent(_ run: CommandRun, _ reading: CommandReading) throws(CommandFailure) {
    guard run.kind.movesOrHeats else { return }
    guard state.withLock({ $0.arbiter.send(run.ticket) }) else { throw Self.superseded }
    if [.gcode, .macro, .startQueue, .raw].contains(run.kind) {
      remember { ledger, _ in
        ledger.expect(
          run.ticket, backend: run.id.backend, path: nil, isQueue: run.kind == .startQueue)
      }
    }
  }

  /// Sends a command once and waits for its end; when that does not come in time, the cache says what became of it.
  ///
  /// - Parameter run: whose far side wants to hear of it early.
  func perform(
    _ command: PrinterCommand, within limit: Duration, answering run: CommandRun? = nil
  ) async throws(CommandFailure) -> JSONValue? {
    let answer = Promise<Result<JSONValue?, CommandFailure>>()
    let sending = Task(executorPreference: executor) { [printer] in
      do throws(CommandFailure) {
        answer.resolve(.success(try await printer.perform(command)))
      } catch {
        answer.resolve(.failure(error))
      }
    }
    var left = limit
    if let run, let early = run.request.earlyAnswer {
      let patience = min(early.after, limit)
      if let result = await answer.value(within: patience, time: time) { return try result.get() }
      answerEarly(run, early)
      left -= patience
    }
    if let result = await answer.value(within: left, time: time) { return try result.get() }
    sending.cancel()
    if StateCheck(status: look()).isReached(command) { return nil }
    throw CommandFailure(
      .timeout,
      "no answer from Klipper after \(limit.components.seconds) s; it may still happen",
      mayHaveHappened: true)
  }

  /// Gives the far side its one answer before the command's end.
  private func answerEarly(_ run: CommandRun, _ early: EarlyAnswer) {
    guard isUnfinished(run) else { return }
    run.isAnswered.withLock { $0 = true }
    journal.answerEarly(run.id, early.owed)
  }

  private static func limit(_ kind: PrinterCommand.Kind) -> Duration {
    kind == .pause || kind == .resume || kind == .cancel ? .seconds(300) : .seconds(600)
  }

  private static func outcome(of failure: CommandFailure) -> CommandOutcome {
    if failure.mayHaveHappened {
      // The connection was lost while it was under way.
      let reason = failure.reason == .notConnected ? .interrupted : failure.reason
      return CommandOutcome(.unknown, reason, failure.message, code: failure.code)
    }
    let isRefusal = [
      .notOwn, .wrongState, .stale, .superseded, .notPermitted, .readOnly,
    ].contains(failure.reason)
    return CommandOutcome(
      isRefusal ? .refused : .failed, failure.reason, failure.message, code: failure.code)
  }

  // MARK: A backend's own part

  private func work(
    _ run: CommandRun, _ work: @escaping CommandWork
  ) async throws(CommandFailure) -> JSONValue? {
    let answer = Promise<Result<JSONValue?, CommandFailure>>()
    let printer = GateUpload(gate: self, run: run)
    let working = Task(executorPreference: executor) {
      do throws(CommandFailure) {
        answer.resolve(.success(try await work(printer)))
      } catch {
        answer.resolve(.failure(error))
      }
    }
    if let result = await answer.value(within: Freshness.longestWork, time: time) {
      return try result.get()
    }
    working.cancel()
    guard run.kind.movesOrHeats else {
      throw CommandFailure(.timeout, "took more than 30 minutes", mayHaveHappened: true)
    }
    throw CommandFailure(.stale, "fetching its file took more than 30 minutes")
  }
}
