internal import ConnectorKit
internal import Platform

/// All that the gate keeps in memory. Changed under its lock only, never across a suspension.
struct GateState: Sendable {
  /// What becomes of one that waits for its turn.
  enum Turn: Sendable { case go, superseded, ending }
  /// What is to be done with a submitted command.
  enum Admission: Sendable {
    /// It is new, as far as the memory goes.
    case run
    /// It runs already.
    case join(Promise<CommandOutcome>)
    /// It ran in this life.
    case ended(CommandOutcome)
    /// Another command has its id.
    case foreign
  }
  private struct Ended: Sendable {
    var digest: String
    var outcome: CommandOutcome
  }
  /// What pushes out only its own kind: a flood of others must not make a stop, or what ran, unknown.
  private enum Memory: Sendable, Hashable { case stops, ran, refused }
  /// So many ended commands of each are remembered, beside the journal.
  private static let memory = 256

  var arbiter = Arbiter()
  var turns: [UInt64: Promise<Turn>] = [:]
  var ledger = JobLedger()
  var readOnly = ReadOnlySwitch.off
  /// Whether the stored values have been read.
  var isLoaded = false
  var isEnding = false
  var running: [CommandID: CommandRun] = [:]
  var contacts: [String: MonotonicInstant] = [:]
  private(set) var records: [AuditRecord] = []
  /// How many records there were.
  private(set) var recordCount: UInt64 = 0
  /// Kept with the next thing that the printer tells, for whoever waits for it.
  private(set) var news = Promise<Void>()
  /// When the last command ended that may have changed a job's state.
  private var lastChange: MonotonicInstant?
  /// What Klipper told of its heaters since it started.
  var heaterLimits = HeaterLimits.unknown
  /// Another one after each loss of Klippy.
  private(set) var heaterRevision: UInt64 = 0
  private var lastTicket: UInt64 = 0
  private var ended: [CommandID: Ended] = [:]
  private var endedOrder: [Memory: [CommandID]] = [:]

  /// A number that no other command has.
  mutating func nextTicket() -> UInt64 {
    lastTicket += 1
    return lastTicket
  }

  /// What is known of a command without asking the disk.
  func admission(_ id: CommandID, digest: String) -> Admission {
    if let running = running[id] {
      return running.digest == digest ? .join(running.outcome) : .foreign
    }
    if let ended = ended[id] { return ended.digest == digest ? .ended(ended.outcome) : .foreign }
    return .run
  }

  /// The printer told something.
  ///
  /// - Returns: what to keep, outside of the lock.
  mutating func takeNews() -> Promise<Void> {
    defer { news = Promise() }
    return news
  }

  /// Klippy is gone, or may have been: its next start may have another configuration.
  mutating func forgetHeaters() {
    heaterLimits = .unknown
    heaterRevision &+= 1
  }

  /// A command ended that may have changed a job's state.
  mutating func noteChange(at now: MonotonicInstant) { lastChange = now }

  /// Whether such a command ended so short a time ago that the printer may not have told of its effect: Klipper tells
  /// changes four times a second.
  func isUnsettled(at now: MonotonicInstant) -> Bool {
    lastChange.map { $0.duration(to: now) < .milliseconds(1_500) } ?? false
  }

  /// When the present job began, or was asked for where it has not begun yet.
  var jobStart: JobStart? {
    if let job = ledger.job { return job.start }
    let asked = running.values.filter { $0.kind == .start && $0.request.refusal == nil }
      .map(\.arrivedAt).max()
    return asked.map { JobStart(notBefore: $0) }
  }

  /// Whether a start of ours has been sent whose job the printer does not show yet.
  func isStarting(at now: MonotonicInstant) -> Bool {
    arbiter.isStarting || ledger.isJobDue(at: now)
  }

  /// A stop or a cancel ends what came before it and has not asked for its turn yet: the disk may be slow.
  ///
  /// - Returns: whether there was any.
  func supersede(before ticket: UInt64, _ isMeant: (CommandRun) -> Bool) -> Bool {
    let early = running.values.filter {
      $0.ticket < ticket && $0.kind.movesOrHeats && $0.request.refusal == nil
        && !arbiter.holds($0.ticket) && isMeant($0)
    }
    for run in early { run.isSuperseded.withLock { $0 = true } }
    return !early.isEmpty
  }

  /// Ends a command.
  ///
  /// - Returns: false when it had ended before.
  mutating func conclude(_ run: CommandRun, _ outcome: CommandOutcome) -> Bool {
    guard running[run.id]?.ticket == run.ticket else { return false }
    running[run.id] = nil
    // What was refused for want of a journal, or at our end, was never judged: it may come again.
    let isFinal =
      !(outcome.status == .refused && [.journal, .interrupted].contains(outcome.reason))
    if isFinal, !run.kind.isRead {
      if ended.updateValue(Ended(digest: run.digest, outcome: outcome), forKey: run.id) == nil {
        let memory: Memory =
          outcome.status == .refused ? .refused : run.kind == .emergencyStop ? .stops : .ran
        var order = endedOrder[memory, default: []]
        order.append(run.id)
        if order.count > Self.memory { ended[order.removeFirst()] = nil }
        endedOrder[memory] = order
      }
    }
    return true
  }

  /// Lets a command go that came to nothing: it was here before.
  mutating func dismiss(_ run: CommandRun) {
    if running[run.id]?.ticket == run.ticket { running[run.id] = nil }
  }

  /// Notes a record for the page.
  mutating func note(_ record: AuditRecord) {
    recordCount += 1
    records.append(record)
    if records.count > GateView.length { records.removeFirst(records.count - GateView.length) }
  }

  /// Takes the waiting entries' promises out.
  mutating func takeTurns(_ entries: [Arbiter.Entry]) -> [Promise<Turn>] {
    entries.compactMap { turns.removeValue(forKey: $0.ticket) }
  }
}
