internal import ConnectorKit
internal import JSON
internal import Platform

/// Hands the cloud's commands to the gate. Safe from any task.
final class JobRunner: Sendable {
  private let configuration: PolarConfiguration
  private let store: PolarStore
  private let context: BackendContext
  /// Of the job that is on.
  private let abort = Guarded<AbortSwitch?>(nil)
  private let count = Guarded(0)

  init(configuration: PolarConfiguration, store: PolarStore, context: BackendContext) {
    self.configuration = configuration
    self.store = store
    self.context = context
  }

  // MARK: Jobs

  /// Takes a job on: from now on its start can be taken back.
  func takeOn() -> AbortSwitch {
    let new = AbortSwitch(time: context.time)
    abort.withLock { $0 = new }
    return new
  }

  /// Fetches a job's file, stores and starts it. The job has been noted: whatever happens from now on, its end is owed.
  ///
  /// Who is cancelled meanwhile takes the start back: the gate goes on with it by itself, and nobody would be there who
  /// knows of it.
  ///
  /// - Parameter abort: what takes the start back, as long as it has not been sent.
  /// - Returns: how the start ended.
  func start(
    _ order: PrintOrder, _ job: CloudJob, _ abort: AbortSwitch, in contact: CommandContact
  ) async -> CommandOutcome {
    guard let path = GCodePath(job.path) else {
      return CommandOutcome(.refused, .invalid, "no file can have its name")
    }
    let work = PrintWork(
      order: order, job: job, maximumSize: configuration.maximumGcodeBytes,
      server: configuration.server, store: store, abort: abort, context: context)
    return await withTaskCancellationHandler {
      await context.commands.submit(
        CommandRequest(
          id: Self.id(job.id), wireName: "print", command: .start(path, .person),
          refusal: abort.hasBeenPulled ? PrintWork.cancelled : nil),
        in: contact, work: { printer throws(CommandFailure) in try await work.run(printer) },
        owing: { _ in nil })
    } onCancel: {
      abort.pull()
    }
  }

  /// Takes back the start of whatever has not been started.
  func abortDownloads() { abort.withLock { $0 }?.pull() }

  /// Notes a job that is not taken, together with the end that the cloud is owed; one that is known already is owed nothing
  /// again.
  func refuse(
    _ order: PrintOrder, _ failure: CommandFailure, _ owed: OwedItem, in contact: CommandContact
  ) async {
    guard let path = JobFileName.path(id: order.jobID, name: order.name) else {
      note(failure)
      await context.outbox.put(owed)
      return
    }
    _ = await context.commands.submit(
      CommandRequest(
        id: Self.id(order.jobID), wireName: "print", command: .start(path, .person),
        refusal: failure),
      in: contact, work: nil, owing: { $0.isRepeat ? nil : owed })
  }

  /// Notes a job without an id, which nobody can be told of. Never blocks.
  func note(_ failure: CommandFailure) {
    context.commands.noteRefusal(id: "print", wireName: "print", failure)
  }

  /// How Moonraker's history remembers a job; nil: it does not, or cannot be asked.
  func past(_ job: CloudJob) async -> PastJob? {
    let outcome = await context.commands.submit(
      CommandRequest(id: newID("history"), wireName: "history", command: .history(limit: 50)),
      in: ownContact, work: nil, owing: { _ in nil })
    return outcome.status == .done ? PastJob(outcome.details, path: job.path) : nil
  }

  /// What is our own idea says nothing about when the cloud was there.
  private var ownContact: CommandContact {
    CommandContact(backend: context.name, at: context.time.now, previous: nil)
  }

  private static func id(_ jobID: String) -> String { "print \(jobID)" }

  // MARK: Other commands

  /// Has a command executed; each is one of its own, since the wire has no ids for them.
  func execute(_ command: PolarCommand, in contact: CommandContact) async -> CommandOutcome {
    switch command {
    case .pause: return await submit(command.name, .pause, contact)
    case .resume: return await submit(command.name, .resume, contact)
    case .cancel: return await submit(command.name, .cancel, contact)
    case .gcode(let text):
      let lines = text.split(whereSeparator: \.isNewline).joined(separator: "\n")
      return await submit(command.name, .gcode(lines), contact)
    case .temperature(let orders):
      var last = CommandOutcome.done()
      for order in orders {
        // A chamber may have a thermometer only; what other heaters there are, Klipper knows.
        let isThere =
          order.heater != "chamber"
          || context.status.current.objects["heater_generic chamber"] != nil
        guard let celsius = order.celsius, isThere else {
          let failure = CommandFailure(
            .invalid,
            isThere ? "\(order.key) is no temperature" : "the printer has no heater for the chamber"
          )
          context.commands.noteRefusal(id: newID(command.name), wireName: command.name, failure)
          context.log(.warning, "temperature: \(failure.message)")
          continue
        }
        let outcome = await submit(
          command.name, .temperature(heater: order.heater, celsius: celsius), contact)
        if outcome.status != .done { last = outcome }
      }
      return last
    }
  }

  private func submit(
    _ name: String, _ command: PrinterCommand, _ contact: CommandContact
  ) async -> CommandOutcome {
    let outcome = await context.commands.submit(
      CommandRequest(id: newID(name), wireName: name, command: command), in: contact, work: nil,
      owing: { _ in nil })
    if outcome.status != .done { context.log(.warning, "\(name): \(outcome.message)") }
    return outcome
  }

  /// Unique over restarts too.
  private func newID(_ name: String) -> String {
    let number = count.withLock { count in
      count += 1
      return count
    }
    return "\(name) \(context.time.wallTime.millisecondsSinceEpoch)-\(number)"
  }

  // MARK: Files

  /// The most that are deleted, and that are looked at, in one go.
  private static let mostDeleted = 16
  private static let mostLookedAt = 64

  /// Deletes files of former jobs beyond the newest: only what this entry has brought, nobody has changed and nobody else
  /// has printed since, whatever its permissions hold.
  func tidy() async {
    guard let own = await context.commands.ownFiles() else { return }
    let current = store.record.job?.path
    let former = own.filter { $0.path.text != current }
    let excess = former.prefix(max(0, former.count - configuration.keptFiles))
    let contact = ownContact
    var deleted = 0
    for file in excess.prefix(Self.mostLookedAt) where deleted < Self.mostDeleted {
      let brought = file.broughtAt.millisecondsSinceEpoch / 1_000
      guard await !file.isPrintedByOthers(since: brought, context) else { continue }
      var request = CommandRequest(
        id: newID("clean_up"), wireName: "clean_up", command: .deleteFile(file.path))
      request.deletesOwnOnly = true
      _ = await context.commands.submit(request, in: contact, work: nil, owing: { _ in nil })
      deleted += 1
    }
  }
}
