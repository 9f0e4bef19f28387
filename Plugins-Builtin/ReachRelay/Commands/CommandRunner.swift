internal import ConnectorKit
internal import JSON
internal import Platform

/// Hands single commands to the gate, and sees to it that each has one result.
struct CommandRunner: Sendable {
  /// After so long a G-code counts as accepted.
  static let patience = Duration.seconds(2)

  let context: BackendContext
  /// Since when results of this run are owed, by the clock that nobody sets.
  private let owedSince = Guarded<[String: MonotonicInstant]>([:])

  init(context: BackendContext) { self.context = context }

  /// Has a command executed; its result is in the outbox when this returns.
  ///
  /// - Parameter refusal: why it is not to be executed; nil: it is.
  /// - Returns: whether it was the far side's to want: it may not have been done, but it was not forbidden either.
  func execute(
    _ command: RelayCommand, _ order: PrinterCommand, in contact: CommandContact,
    refusal: CommandFailure? = nil
  ) async -> Bool {
    context.log(.info, "command \(command.id.printable): \(command.printableName)")
    let start = context.time.now
    var request = CommandRequest(
      id: command.id, wireName: command.printableName, command: order, refusal: refusal)
    if case .gcode = order {
      let accepted = CommandResult.completed(command.id, ["result": "accepted"])
      request.earlyAnswer = EarlyAnswer(after: Self.patience, owed: accepted.owed())
    }
    let wasAsked = Guarded(false)
    let outcome = await context.commands.submit(request, in: contact, work: nil) {
      [status = context.status, time = context.time, owedSince, early = request.earlyAnswer]
      outcome in
      wasAsked.withLock { $0 = true }
      owedSince.withLock { $0[command.id] = time.now }
      // Of a command that came again the store knows its first answer, but for the early one.
      if let early, outcome.isRepeat, outcome.status != .refused { return early.owed }
      return CommandResult(of: command, order, outcome, absence: Self.absence(status.current))
        .owed(isExpendable: outcome.status == .refused)
    }
    // An id that another command has had: what is owed for that one is not to be lost.
    if outcome.status == .refused, outcome.reason == .invalid, !wasAsked.withLock({ $0 }) {
      let failed = CommandResult.failed(command.id, outcome.message, .malformed)
      await context.outbox.put(failed.owed(isExpendable: true, asAnother: true))
    }
    // At the end our task waits for nothing; the gate's own goes on, and the answer lies in the outbox all the same.
    if let refusal, outcome.reason == .interrupted {
      await answer(.failed(command.id, refusal.message, .gate(refusal.reason)))
    }
    let (seconds, attoseconds) = start.duration(to: context.time.now).components
    let time = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    let name = "command \(command.id.printable)"
    if outcome.isRepeat {
      context.log(.info, "\(name) came again and is not executed again")
    } else if outcome.status == .done {
      context.log(.info, "\(name) succeeded in \(time) ms")
    } else {
      let absence = Self.absence(context.status.current)
      let problem = CommandResult(of: command, order, outcome, absence: absence).error ?? ""
      context.log(.warning, "\(name): \(command.printableName): \(problem)")
    }
    let isForbidden = [.notPermitted, .readOnly, .stale, .invalid].contains(outcome.reason)
    return outcome.status != .refused || !isForbidden
  }

  /// What Moonraker would say, were it asked; nil while it and Klippy are there.
  private static func absence(_ status: PrinterStatus) -> String? {
    if status.link != .connected { return "Moonraker is not reachable" }
    return status.klippy == .disconnected ? "HTTP Error 503: Klippy Host not connected" : nil
  }

  /// Answers what is never submitted.
  func answer(_ result: CommandResult) async {
    if let error = result.error {
      context.log(.warning, "command \(result.id.printable): \(error)")
    }
    owedSince.withLock { $0[result.id] = context.time.now }
    await context.outbox.put(result.owed(isExpendable: result.error != nil))
  }

  /// Whether a result of this run with this id has not left yet.
  func owes(_ id: String) -> Bool { owedSince.withLock { $0[id] != nil } }

  /// How long a result has been owed: by the wall clock only where it is of an earlier run.
  func age(of entry: OutboxEntry) -> Duration {
    if entry.isFresh, let since = owedSince.withLock({ $0[entry.item.key] }) {
      return since.duration(to: context.time.now)
    }
    return max(.zero, entry.since.duration(to: context.time.wallTime))
  }

  /// A result is out of the outbox.
  func settled(_ entry: OutboxEntry) {
    owedSince.withLock { since in
      since[entry.item.key] = nil
      // Of results that were replaced or dropped before their turn.
      if since.count > 1_000 { since = [:] }
    }
  }
}
