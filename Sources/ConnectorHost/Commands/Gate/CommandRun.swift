internal import ConnectorKit
internal import Platform

/// One submitted command on its way through the gate.
struct CommandRun: Sendable {
  /// Its number in this run of the daemon.
  let ticket: UInt64
  /// Its name in the journal.
  let id: CommandID
  /// SHA-256 of what is wanted.
  let digest: String
  /// What is wanted.
  let request: CommandRequest
  /// The answer of the far side in which it came.
  let contact: CommandContact
  /// The rules of its backend; a reload may change them while it is under way.
  let rules: Guarded<CommandPolicy>
  /// The backend's own part.
  let work: CommandWork?
  /// What the far side is owed for an outcome.
  let owing: @Sendable (CommandOutcome) -> OwedItem?
  /// When it came.
  let arrivedAt: MonotonicInstant
  /// Its one final outcome.
  let outcome = Promise<CommandOutcome>()
  /// Whether a stop or a cancel came before it asked for its turn.
  let isSuperseded = Guarded(false)
  /// Whether the far side has got its answer before the end: then the end owes it nothing.
  let isAnswered = Guarded(false)
  /// How long it has waited for the printer to tell its state.
  let waited = Guarded(Duration.zero)

  /// The rules of its backend, as they are now.
  var policy: CommandPolicy { rules.withLock { $0 } }

  /// The command's kind.
  var kind: PrinterCommand.Kind { request.command.kind }

  /// Whether it goes out although the journal cannot be written.
  var isUrgent: Bool { kind == .pause || kind == .cancel }

  /// Whether it may change a job's state.
  var changesJob: Bool {
    switch kind {
    case .start, .pause, .resume, .cancel, .gcode, .macro, .startQueue, .raw: true
    default: false
    }
  }

  /// What the far side is owed; a refusal may be dropped for others.
  func owed(_ outcome: CommandOutcome) -> OwedItem? {
    if isAnswered.withLock({ $0 }) { return nil }
    var item = owing(outcome)
    if outcome.status == .refused { item?.isExpendable = true }
    return item
  }

  /// Whether it may begin a job, or go on with one.
  var beginsJob: Bool {
    switch kind {
    case .start, .resume: true
    case .gcode, .macro:
      (try? CommandReading(request.command))?.effects.contains {
        [.start, .startOrResume, .resume].contains($0)
      } ?? false
    default: false
    }
  }

  /// Its entry at the arbiter.
  var entry: Arbiter.Entry {
    Arbiter.Entry(
      ticket: ticket, backend: id.backend, wireName: request.wireName, kind: kind,
      beginsJob: beginsJob)
  }
}
