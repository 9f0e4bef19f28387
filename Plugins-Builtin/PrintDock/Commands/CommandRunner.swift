internal import ConnectorKit
internal import JSON
internal import Platform

/// Hands single commands to the host, and sees to it that each has one completion.
struct CommandRunner: Sendable {
  let session: Session
  let due: DueSnapshots
  let cloudURL: String
  let printerDataRoot: String?
  let backupConfFiles: Bool

  private var context: BackendContext { session.context }

  /// Has a command executed; its completion is in the outbox when this returns.
  func execute(_ order: CommandOrder, in contact: CommandContact) async {
    let task = order.task
    context.log(.info, "command \(order.id.printable): \(task.action)")
    let start = context.time.now
    let outcome = await context.commands.submit(
      CommandRequest(id: order.id, wireName: task.action, command: task.command),
      in: contact, work: work(task),
      owing: { [due, owing = owing(order)] outcome in
        if outcome.status == .done, !outcome.isRepeat { due.add(order.id) }
        return owing(outcome)
      })
    let (seconds, attoseconds) = start.duration(to: context.time.now).components
    let time = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    if outcome.isRepeat {
      context.log(.info, "command \(order.id.printable) came again: its result is sent again")
    } else if outcome.status == .done {
      context.log(.info, "command \(order.id.printable) succeeded in \(time) ms")
    } else {
      let problem = Completion.problem(task, outcome)
      context.log(.warning, "command \(order.id.printable): \(task.action): \(problem)")
    }
  }

  /// Answers what is not tried; its completion is in the outbox when this returns.
  func refuse(_ refusal: Refusal, isLogged: Bool = true) async {
    if isLogged { log(refusal) }
    switch refusal {
    case .order(let order, let contact, let reason): _ = await submit(order, contact, reason)
    case .element(let completion): await context.outbox.put(completion.owed(isExpendable: true))
    }
  }

  /// Answers, at our end, what still waited.
  ///
  /// The gate has to know of it as of any refusal, above all of a start: PrintDock may lose the answer and hand it out
  /// again, to a connector that was only restarted, or to the daemon's next life, in whose first answer alone no start is
  /// fresh. Our task is cancelled and waits for nothing, the gate's own go on; should the store be closed before they come
  /// to their end, the answers lie in the outbox all the same.
  func refuseAtEnd(_ refusals: [Refusal]) async {
    // What runs or ran already has its own result.
    var known: Set<String> = []
    for refusal in refusals {
      log(refusal)
      if case .order(let order, let contact, let reason) = refusal,
        await submit(order, contact, reason).isRepeat
      {
        known.insert(order.id)
      }
    }
    for refusal in refusals where !known.contains(refusal.id) {
      switch refusal {
      case .order(let order, _, let reason):
        let outcome = CommandOutcome(.refused, reason.reason, reason.message)
        if let item = owing(order)(outcome) { await context.outbox.put(item) }
      case .element(let completion): await context.outbox.put(completion.owed(isExpendable: true))
      }
    }
  }

  private func submit(
    _ order: CommandOrder, _ contact: CommandContact, _ reason: CommandFailure
  ) async -> CommandOutcome {
    await context.commands.submit(
      CommandRequest(
        id: order.id, wireName: order.task.action, command: order.task.command, refusal: reason),
      in: contact, work: nil, owing: owing(order))
  }

  /// What PrintDock is owed for an outcome.
  private func owing(_ order: CommandOrder) -> @Sendable (CommandOutcome) -> OwedItem? {
    { [session] outcome in
      let absence = session.reportable == nil ? session.absence : nil
      return Completion(of: order, outcome, absence: absence)
        .owed(isExpendable: outcome.status == .refused)
    }
  }

  private func log(_ refusal: Refusal) {
    let problem =
      switch refusal {
      case .order(let order, _, let reason): "\(order.task.action): \(reason.message)"
      case .element(let completion): completion.problem ?? ""
      }
    context.log(.warning, "command \(refusal.id.printable): \(problem.printable)")
  }

  /// Says that an element cannot even be answered.
  func drop(_ problem: String) {
    context.log(.warning, "something that came as a command is dropped: \(problem)")
  }

  private func work(_ task: CommandTask) -> CommandWork? {
    switch task {
    case .uploadFile(_, let content):
      let work = UploadWork(content: content, transfers: context.transfers)
      return { printer async throws(CommandFailure) in try await work.run(printer) }
    case .createBackup(let order):
      let work = BackupWork(
        order: order, root: printerDataRoot, takesConf: backupConfFiles, cloudURL: cloudURL,
        context: context)
      return { printer async throws(CommandFailure) in try await work.run(printer) }
    default: return nil
    }
  }
}
