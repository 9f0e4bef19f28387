internal import ConnectorKit
internal import JSON
internal import Platform

/// Where pulled commands are taken in and handed on, for as long as a session runs.
final class CommandCounter: Sendable {
  private let mailbox: AsyncStream<RelaySession.Event>.Continuation
  private let runner: CommandRunner
  private let desk = Guarded(CommandDesk())

  init(mailbox: AsyncStream<RelaySession.Event>.Continuation, runner: CommandRunner) {
    self.mailbox = mailbox
    self.runner = runner
  }

  /// Takes what a pull brought. Never blocks.
  func take(
    _ pulled: PulledCommand, _ contact: CommandContact,
    _ group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    switch pulled {
    case .nothing, .unanswerable: break
    case .malformed(let id, let problem):
      runner.context.commands.noteRefusal(
        id: id, wireName: "malformed", CommandFailure(.invalid, problem))
      answer(.failed(id, problem, .malformed), &group)
    case .command(let command):
      do throws(RelayOrder.Defect) {
        let order = try RelayOrder(command)
        take(CommandDesk.Job(command: command, order: order, contact: contact), &group)
      } catch {
        let reason: CommandOutcome.Reason = error.code == .forbidden ? .notPermitted : .invalid
        runner.context.commands.noteRefusal(
          id: command.id, wireName: command.printableName, CommandFailure(reason, error.problem))
        answer(.failed(command.id, error.problem, error.code), &group)
      }
    }
  }

  private func take(
    _ job: CommandDesk.Job, _ group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    // What came again before its result has left gets that one; a stop acts under whatever id it comes.
    let isAnswered = job.order != .printer(.emergencyStop) && runner.owes(job.command.id)
    switch isAnswered ? .known : desk.withLock({ $0.take(job) }) {
    case .start: group.addTask { [self] in await work(through: job) }
    case .wait: break
    case .known:
      runner.context.log(.info, "command \(job.command.id.printable) came again and is under way")
    case .busy: group.addTask { [self] in await refuse(job, CommandFailure(.busy, "busy")) }
    }
  }

  /// Has a command executed, and then those whose turn it is.
  private func work(through first: CommandDesk.Job) async {
    var next: CommandDesk.Job? = first
    while let job = next {
      let acted = await execute(job)
      // At the end nothing is started any more: what waits is answered so.
      if Task.isCancelled { return }
      let aftermath = desk.withLock { $0.ended(job, acted: acted) }
      for overtaken in aftermath.overtaken {
        await refuse(
          overtaken, CommandFailure(.superseded, "a stop or a cancel came before its turn"))
      }
      next = aftermath.next
    }
  }

  /// Has a command executed.
  ///
  /// - Returns: whether it counts for those that wait.
  private func execute(_ job: CommandDesk.Job) async -> Bool {
    let id = job.command.id
    switch job.order {
    case .printer(let command):
      return await runner.execute(job.command, command, in: job.contact)
    case .shutDown, .uninstall:
      let forgets = job.order == .uninstall
      let doing = forgets ? "uninstalling" : "shutting down"
      runner.context.log(.warning, "command \(id.printable): \(job.command.printableName)")
      // Told first, so that the session sees its answer come and go.
      mailbox.yield(
        .end(
          RelaySession.Ending(
            id: id, forgets: forgets,
            deadline: runner.context.time.now.advanced(by: RelaySession.endingTime))))
      await runner.answer(
        .completed(id, ["status": "ok", "message": .string("agent \(doing)")]))
      return true
    }
  }

  // MARK: What is not executed

  /// The gate has to know of it: the relay may hand it out again, and then it must not be executed either.
  private func refuse(_ job: CommandDesk.Job, _ refusal: CommandFailure) async {
    if job.order == .printer(.emergencyStop) {
      // The gate would let it act.
      runner.context.commands.noteRefusal(
        id: job.command.id, wireName: job.command.printableName, refusal)
      await runner.answer(.failed(job.command.id, refusal.message, .gate(refusal.reason)))
    } else if case .printer(let command) = job.order {
      _ = await runner.execute(job.command, command, in: job.contact, refusal: refusal)
    } else {
      await runner.answer(.failed(job.command.id, refusal.message, .gate(refusal.reason)))
    }
  }

  private func answer(
    _ result: CommandResult, _ group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    // One result for each id: that of the command which has it already.
    guard !runner.owes(result.id), desk.withLock({ !$0.isUnfinished(result.id) }) else { return }
    group.addTask { [runner] in await runner.answer(result) }
  }

  /// Answers what waited for its turn when everything ended.
  func close() async {
    for job in desk.withLock({ $0.close() }) {
      await refuse(job, CommandFailure(.superseded, "agent stopping"))
    }
  }
}
