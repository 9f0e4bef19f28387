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
      owing: { [session, due] outcome in
        if outcome.status == .done, !outcome.isRepeat { due.add(order.id) }
        let absence = session.reportable == nil ? session.absence : nil
        return Completion(of: order, outcome, absence: absence)
          .owed(isExpendable: outcome.status == .refused)
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

  /// Answers what was never tried.
  func refuse(_ completion: Completion) async {
    context.log(
      .warning, "command \(completion.id.printable): \((completion.problem ?? "").printable)")
    await context.outbox.put(completion.owed(isExpendable: true))
  }

  /// Answers a command that was never tried.
  func refuse(_ order: CommandOrder, _ problem: String) async {
    await refuse(.untried(order, problem))
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
      return { _ async throws(CommandFailure) in try await work.run() }
    default: return nil
    }
  }
}
