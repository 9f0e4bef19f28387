internal import ConnectorKit
internal import Platform

// What only a person may do, here and not through a cloud.

extension CommandGate {
  /// Says that the bed is empty.
  ///
  /// - Parameters:
  ///   - by: who says so: `page`, `bed-cleared`, `macro`.
  ///   - isRemote: whether it came over Moonraker, where any macro can say it: then nothing of ours may be unfinished.
  ///   - wasBusy: whether something of ours was unfinished when it came.
  /// - Throws: `CommandFailure`: a job runs, a command is unfinished, or the disk does not take it.
  func clearBed(
    by: String, isRemote: Bool, wasBusy: Bool = false
  ) async throws(CommandFailure) {
    var failure: CommandFailure?
    do throws(CommandFailure) {
      if wasBusy { throw Self.isBusy }
      try await storeClearBed(by: by, isRemote: isRemote)
    } catch {
      failure = error
    }
    recordPerson("bed_cleared", by: by, failure)
    if let failure { throw failure }
  }

  private func storeClearBed(by: String, isRemote: Bool) async throws(CommandFailure) {
    try checkClearable(isRemote: isRemote)
    let wallTime = time.wallTime
    guard await journal.set("bed", Bed(state: .clear, since: wallTime, by: by).stored) else {
      throw CommandFailure(
        .journal, "it could not be written to the disk: \(journal.problem ?? "")")
    }
    do throws(CommandFailure) {
      try checkClearable(isRemote: isRemote)
    } catch {
      // A job began meanwhile: what was written is taken back.
      remember { ledger, now in ledger.refuseClear(at: now) }
      throw error
    }
    remember { ledger, _ in ledger.clear(by: by, at: wallTime) }
  }

  private func checkClearable(isRemote: Bool) throws(CommandFailure) {
    let isJobOn = StateCheck(status: look()).isJobOn
    let hasJob = state.withLock { $0.ledger.job != nil }
    if isJobOn || hasJob { throw CommandFailure(.wrongState, "a job is running") }
    if isRemote, hasUnfinished { throw Self.isBusy }
  }

  /// Whether a command of a cloud that does more than look is unfinished. Never blocks, safe from any thread.
  var hasUnfinished: Bool {
    state.withLock { $0.running.values.contains { !$0.kind.isRead } }
  }

  private static var isBusy: CommandFailure {
    CommandFailure(.busy, "a command of a cloud is unfinished")
  }

  /// Turns the switch for all clouds. On takes effect at once, off when it is on the disk.
  ///
  /// - Throws: `CommandFailure` (`journal`) where the disk does not take it; on stays on in this run of the daemon.
  func setReadOnly(_ isOn: Bool, by: String) async throws(CommandFailure) {
    let new = ReadOnlySwitch(isOn: isOn, since: time.wallTime, by: by)
    let before = state.withLock { state in
      defer { if isOn { state.readOnly = new } }
      return state.readOnly
    }
    let isStored = await journal.set("read_only", new.stored)
    // Off only what it was meant for: somebody may have turned it on meanwhile.
    if isStored { state.withLock { if isOn || $0.readOnly == before { $0.readOnly = new } } }
    let failure =
      isStored
      ? nil
      : CommandFailure(.journal, "it could not be written to the disk: \(journal.problem ?? "")")
    recordPerson(isOn ? "read_only_on" : "read_only_off", by: by, failure)
    if let failure { throw failure }
  }

  private func recordPerson(_ action: String, by: String, _ failure: CommandFailure?) {
    let record = AuditRecord(
      at: time.wallTime, backend: "host", commandID: "", action: action, digest: "",
      outcome: failure.map { CommandOutcome(.refused, $0.reason, $0.message) }
        ?? CommandOutcome(.done, .ok, "by \(by)"),
      latency: .zero)
    note(record)
  }
}
