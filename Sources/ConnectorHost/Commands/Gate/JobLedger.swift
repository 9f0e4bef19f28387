internal import ConnectorKit
internal import JSON
internal import Platform

/// Whose job runs, and what that means for the bed. A pure state machine; what must not be lost is in ``values``.
struct JobLedger: Sendable {
  /// A start that has been sent and whose job has not been seen yet.
  private struct Expected: Sendable {
    var ticket: UInt64
    var backend: String
    /// nil: whatever file a G-code or a macro starts.
    var path: String?
    /// Whether it starts a job although no file is named: the queue.
    var isQueue = false
    /// When Moonraker accepted it, or when we gave up waiting for that.
    var answeredAt: MonotonicInstant?

    /// Whether a job that begins at `now` is another one: 10 minutes after a start (which may wait behind a heating), 10 s
    /// after a G-code or a macro (of which most start nothing).
    func isOver(at now: MonotonicInstant) -> Bool {
      let patience = path == nil ? JobLedger.grace : Duration.seconds(600)
      return answeredAt.map { $0.duration(to: now) > patience } ?? false
    }
  }
  /// What `print_stats` showed last while no job ran.
  private struct Rest: Sendable, Hashable {
    var state: String
    var filename: String
    /// How long the last job took, s; nil where nobody subscribes to it.
    var total: Double?

    var stored: JSONValue {
      var object: JSONObject = ["state": .string(state), "filename": .string(filename)]
      object["total"] = total.map { .double($0) }
      return .object(object)
    }

    /// Whether no other job can have ended since `former`, as far as both tell.
    func isSame(as former: Rest?) -> Bool {
      guard let former, state == former.state, filename == former.filename else { return false }
      guard let total, let before = former.total else { return true }
      return abs(total - before) < 0.001
    }
  }
  /// So long after its acceptance a job may be unseen.
  private static let grace = Duration.seconds(10)
  /// So long after a restored connection a job may have begun while it was gone.
  private static let recovery = Duration.seconds(10)

  /// The bed.
  private(set) var bed = Bed.unknown
  /// The job that runs or is paused.
  private(set) var job: RunningJob?
  /// Since when we have seen the printer without a job, without a gap; nil: it has one, or is not seen. A restart of anything
  /// begins anew.
  private(set) var quietSince: MonotonicInstant?
  private var expected: Expected?
  private var rest: Rest?
  private var isSighted = false
  /// The last moment of the former connection; nil: there was none.
  private var lostAt: MonotonicInstant?
  /// Since when the printer's state is known.
  private var knownSince: MonotonicInstant?

  /// The names of ``values``.
  static let valueNames = ["bed", "job", "rest"]

  /// What is stored, by name.
  var values: [String: JSONValue] {
    let running =
      job
      ?? expected.map {
        RunningJob(filename: $0.path ?? "", owner: $0.backend, start: JobStart(notBefore: nil))
      }
    return [
      "bed": bed.stored, "job": RunningJob.stored(running),
      "rest": rest?.stored ?? .null,
    ]
  }

  /// Takes in what a former run of the daemon stored. What has been seen since this one's start is newer.
  mutating func load(_ values: [String: JSONValue]) {
    let isNew = !isSighted && bed == .unknown
    if isNew { bed = Bed(values["bed"]) }
    if job == nil, !isSighted { job = RunningJob(values["job"]) }
    if rest == nil, let stored = values["rest"], let state = stored["state"]?.string,
      let filename = stored["filename"]?.string
    {
      rest = Rest(state: state, filename: filename, total: stored["total"]?.double)
    }
  }

  // MARK: Starts of ours

  /// A command that may start a job is about to be sent.
  mutating func expect(
    _ ticket: UInt64, backend: String, path: String?, isQueue: Bool = false
  ) {
    expected = Expected(
      ticket: ticket, backend: backend, path: path, isQueue: isQueue, answeredAt: nil)
  }

  /// It has ended; its job may still come where it was done or nobody knows.
  mutating func answered(_ ticket: UInt64, mayStart: Bool, at now: MonotonicInstant) {
    guard expected?.ticket == ticket else { return }
    if mayStart { expected?.answeredAt = now } else { expected = nil }
  }

  /// Whether a job of ours may be about to begin that the printer does not show yet.
  func isJobDue(at now: MonotonicInstant) -> Bool {
    guard let expected, let answeredAt = expected.answeredAt,
      expected.path != nil || expected.isQueue
    else { return false }
    return answeredAt.duration(to: now) < Self.grace
  }

  /// Whether a start of this file has been sent and its job has not been seen yet.
  func expects(_ path: String) -> Bool { expected?.path == path }

  // MARK: What the printer tells

  /// A job began.
  mutating func started(
    _ filename: String, at now: MonotonicInstant, wallTime: WallTime
  ) {
    let owner = expected.flatMap { expected in
      (expected.path ?? filename) == filename && !expected.isOver(at: now)
        ? expected.backend : nil
    }
    expected = nil
    quietSince = nil
    job = RunningJob(filename: filename, owner: owner, start: JobStart(notBefore: earliest(now)))
    isSighted = true
    // Whoever starts a job at the printer itself has looked at the bed. It lasts until that job's end.
    if owner == nil {
      bed = Bed(state: .clear, since: wallTime, by: "a job started at the printer")
    }
  }

  /// A job ended, however.
  mutating func ended(_ filename: String, at wallTime: WallTime) {
    job = nil
    quietSince = nil
    bed.occupy(at: wallTime, by: "the end of \(filename)")
  }

  /// Something may have been missed: whatever lies on the bed is not known.
  mutating func missed(at wallTime: WallTime) {
    bed.occupy(at: wallTime, by: "something that was missed")
  }

  /// The connection was lost.
  mutating func lost(at now: MonotonicInstant) {
    guard knownSince != nil else { return }
    lostAt = now
    knownSince = nil
    quietSince = nil
    isSighted = false
  }

  /// Looks at the printer; called for each change and before each decision.
  ///
  /// After each loss of sight the first look compares: a job that was ours to remember and runs no more has ended while we
  /// were away, and so has one whose end state is not the one we remember.
  mutating func look(_ status: PrinterStatus, at now: MonotonicInstant, wallTime: WallTime) {
    if expected?.isOver(at: now) ?? false { expected = nil }
    guard status.isCurrent, let state = status.printState else {
      quietSince = nil
      return
    }
    let filename = status.field("print_stats", "filename")?.string ?? ""
    let isOn = StateCheck(status: status).isJobOn
    let isFirst = !isSighted
    quietSince = isOn || job != nil ? nil : quietSince ?? now
    if isFirst {
      isSighted = true
      knownSince = now
    }
    if isOn {
      if isFirst, job?.filename != filename {
        if job != nil || lostAt != nil { missed(at: wallTime) }
        job = RunningJob(filename: filename, owner: nil, start: JobStart(notBefore: lostAt))
      }
      return
    }
    if isFirst, job != nil {
      job = nil
      bed.occupy(at: wallTime, by: "a job that ended while nobody looked")
    }
    let seen = Rest(
      state: state, filename: filename,
      total: status.field("print_stats", "total_duration")?.double)
    if isFirst, !seen.isSame(as: rest), state != "standby" {
      bed.occupy(at: wallTime, by: "a job that ended while nobody looked")
    }
    // Klipper tells its state four times a second: a job may have begun and ended in between.
    if !isFirst, job == nil, let rest, let path = expected?.path, path == filename,
      ["complete", "cancelled", "error"].contains(state), !seen.isSame(as: rest)
    {
      expected = nil
      bed.occupy(at: wallTime, by: "the end of \(filename)")
    }
    if job == nil { rest = seen }
  }

  private func earliest(_ now: MonotonicInstant) -> MonotonicInstant {
    if let knownSince, knownSince.duration(to: now) < Self.recovery { return lostAt ?? knownSince }
    // Klipper tells changes four times a second.
    return now.advanced(by: .seconds(-2))
  }

  // MARK: A person's word

  /// A person says that the bed is empty.
  mutating func clear(by: String, at wallTime: WallTime) {
    bed = Bed(state: .clear, since: wallTime, by: by)
    // A start that was answered and brought no job has laid nothing on it.
    if expected?.answeredAt != nil { expected = nil }
  }

  /// Takes back what was stored as clear while a job began.
  mutating func refuseClear(at wallTime: WallTime) {
    bed = Bed(state: .occupied, since: wallTime, by: "a job that began meanwhile")
  }
}
