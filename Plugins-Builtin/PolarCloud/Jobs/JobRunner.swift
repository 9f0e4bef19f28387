internal import ConnectorKit
internal import JSON
internal import Platform

/// Hands the cloud's commands to the gate. Safe from any task.
final class JobRunner: Sendable {
  private let configuration: PolarConfiguration
  private let store: PolarStore
  private let context: BackendContext
  private let aborts = Guarded<[String: AbortSwitch]>([:])
  private let count = Guarded(0)

  init(configuration: PolarConfiguration, store: PolarStore, context: BackendContext) {
    self.configuration = configuration
    self.store = store
    self.context = context
  }

  // MARK: Jobs

  /// Notes a job, fetches its file, stores and starts it.
  ///
  /// - Returns: how the start ended.
  func start(_ order: PrintOrder, _ job: CloudJob, in contact: CommandContact) async
    -> CommandOutcome
  {
    guard let path = GCodePath(job.path) else {
      return CommandOutcome(.refused, .invalid, "no file can have its name")
    }
    let abort = AbortSwitch(time: context.time)
    aborts.withLock { $0[job.id] = abort }
    defer { aborts.withLock { $0[job.id] = nil } }
    // On the disk first: whatever happens from now on, its end is owed.
    do { try await store.apply(.job(job)) } catch {
      return CommandOutcome(.failed, .journal, "it cannot be noted: \(error)")
    }
    let work = PrintWork(
      order: order, job: job, maximumSize: configuration.maximumGcodeBytes,
      cloud: configuration.server.host, store: store, abort: abort, context: context)
    return await context.commands.submit(
      CommandRequest(id: Self.id(job.id), wireName: "print", command: .start(path, .person)),
      in: contact, work: { printer throws(CommandFailure) in try await work.run(printer) },
      owing: { _ in nil })
  }

  /// Ends the fetching of whatever is being fetched.
  func abortDownloads() {
    for abort in aborts.withLock({ Array($0.values) }) { abort.pull() }
  }

  /// Notes a job that is not taken.
  func refuse(_ order: PrintOrder, _ failure: CommandFailure, in contact: CommandContact) async {
    guard !order.jobID.isEmpty, let path = JobFileName.path(id: order.jobID, name: order.name)
    else {
      context.commands.noteRefusal(id: "print", wireName: "print", failure)
      return
    }
    _ = await context.commands.submit(
      CommandRequest(
        id: Self.id(order.jobID), wireName: "print", command: .start(path, .person),
        refusal: failure),
      in: contact, work: nil, owing: { _ in nil })
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

  /// Deletes files of former jobs beyond the newest; the gate deletes only what this entry has brought.
  func tidy() async {
    let record = store.record
    let files = record.files
    let former = files.filter { $0 != record.job?.path }
    let excess = Array(former.prefix(max(0, former.count - configuration.keptFiles)))
    let contact = context.commands.contact()
    var gone: Set<String> = []
    for path in excess.prefix(16) {
      guard let path = GCodePath(path) else { continue }
      let outcome = await context.commands.submit(
        CommandRequest(
          id: newID("clean_up"), wireName: "clean_up", command: .deleteFile(path)),
        in: contact, work: nil, owing: { _ in nil })
      // Another's by now, or gone: it is no more ours to delete.
      let isOver = outcome.status == .done || outcome.reason == .notOwn
      if isOver || outcome.reason == .printerRefused { gone.insert(path.text) }
    }
    let kept = files.filter { !gone.contains($0) }
    guard kept != record.files else { return }
    do { try await store.apply(.files(kept)) } catch {
      context.log(.warning, "the list of former jobs' files cannot be stored: \(error)")
    }
  }
}
