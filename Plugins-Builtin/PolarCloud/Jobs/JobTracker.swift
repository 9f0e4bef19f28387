internal import ConnectorKit
internal import Platform

/// The cloud job that is on, and the shadow that the last one leaves. A pure value: readings in, its end out.
struct JobTracker: Sendable, Hashable {
  /// What the status still says of a job that has ended.
  enum Shadow: Sendable, Hashable {
    /// It is complete: until then, or until something changes.
    case complete(until: MonotonicInstant)
    /// It was cancelled.
    case cancelled(until: MonotonicInstant)
  }
  /// So long "complete" is told.
  static let completeShows = Duration.seconds(120)
  /// So long "cancelled" is told.
  static let cancelledShows = Duration.seconds(15)
  /// So long a started job may take until the printer shows it.
  static let patience = Duration.seconds(60)
  /// So long it may take where nobody knows what became of its start: Klipper may get to it behind a long G-code.
  static let longPatience = Duration.seconds(600)
  /// So long the printer may go on behind a cancel that was done; then another one may be sent.
  static let cancelPatience = Duration.seconds(30)
  /// So long a job may be out of sight before it counts as gone: its end may be told a moment later.
  static let grace = Duration.seconds(3)

  /// The job that is on.
  private(set) var job: CloudJob?
  /// Whether a cancel of the cloud is on its way.
  var isCancelling = false {
    didSet { if !isCancelling { cancelledAt = nil } }
  }
  /// Whether the job is out of sight for good: Moonraker's history is to say how it ended.
  private(set) var isMissing = false
  private(set) var shadow: Shadow?
  private var startedAt: MonotonicInstant?
  private var lostAt: MonotonicInstant?
  private var patience = Self.patience
  /// When a cancel was done.
  private var cancelledAt: MonotonicInstant?
  private var counts = JobCounts()
  private var shadowState: String?

  /// - Parameter job: what was on when this program ended last.
  init(_ job: CloudJob?, now: MonotonicInstant) {
    self.job = job
    if job != nil { startedAt = now }
  }

  /// A job is taken on.
  mutating func begin(_ job: CloudJob) {
    self.job = job
    isCancelling = false
    shadow = nil
    startedAt = nil
    lostAt = nil
    isMissing = false
    counts = JobCounts()
  }

  /// It was started; or may have been, where that is not `isCertain`.
  mutating func started(_ now: MonotonicInstant, isCertain: Bool) {
    guard job?.phase == .preparing else { return }
    job?.phase = .started
    startedAt = now
    patience = isCertain ? Self.patience : Self.longPatience
  }

  /// A cancel was done; the printer shows it when it is through with it.
  mutating func cancelDone(_ now: MonotonicInstant) { if isCancelling { cancelledAt = now } }

  /// The cloud takes back a job that is not at the printer.
  mutating func withdrawn(_ now: MonotonicInstant) -> JobEnd? {
    let end = finish(.canceled)
    show(.cancelled(until: now.advanced(by: Self.cancelledShows)), nil)
    return end
  }

  /// Moonraker's history has been asked about a job that is missing.
  ///
  /// - Parameter past: how it ended; nil: the history does not know.
  mutating func remembered(_ past: PastJob?, _ now: MonotonicInstant) -> JobEnd? {
    guard job != nil, isMissing else { return nil }
    if let past { counts = past.counts }
    let isComplete = past?.isComplete ?? false
    let end = finish(isComplete ? .completed : .canceled)
    if isComplete { show(.complete(until: now.advanced(by: Self.completeShows)), nil) }
    return end
  }

  /// It could not be started.
  mutating func failed(_ now: MonotonicInstant) -> JobEnd? {
    guard job?.phase == .preparing || job?.phase == .started else { return nil }
    let wasCancelled = isCancelling
    let end = finish(.canceled)
    if wasCancelled { show(.cancelled(until: now.advanced(by: Self.cancelledShows)), nil) }
    return end
  }

  /// Klipper has ended a job of this file.
  mutating func ended(
    _ event: JobEvent, filename: String, _ reading: PolarReading, _ now: MonotonicInstant
  ) -> JobEnd? {
    guard let job, job.phase != .preparing, filename == job.path else { return nil }
    counts = reading.counts(of: job.path) ?? counts
    switch event {
    case .finished: return complete(reading, now)
    case .cancelled: return cancelled(reading, now)
    case .failed: return finish(.canceled)
    case .started, .paused, .resumed: return nil
    }
  }

  /// Takes a look at the printer.
  ///
  /// - Returns: the end of the job, where this look shows it.
  mutating func observe(_ reading: PolarReading, _ now: MonotonicInstant) -> JobEnd? {
    fade(reading, now)
    guard reading.isKnown else { return nil }
    if let cancelledAt, cancelledAt.advanced(by: Self.cancelPatience) <= now {
      isCancelling = false
    }
    guard let job, job.phase != .preparing else { return nil }
    let isMine = reading.filename == job.path
    if isMine, let counts = reading.counts(of: job.path) { self.counts = counts }
    if isMine, reading.isJobOn {
      self.job?.phase = .running
      lostAt = nil
      isMissing = false
      return nil
    }
    if isMine, job.phase == .running || startedAt != nil {
      switch reading.printState {
      case "complete": return complete(reading, now)
      case "cancelled": return cancelled(reading, now)
      case "error": return finish(.canceled)
      default: break
      }
    }
    if job.phase == .running {
      // Out of sight: a restart of Klipper, another job, a reset of the file.
      let since = lostAt ?? now
      lostAt = since
      isMissing = isMissing || since.duration(to: now) >= Self.grace
      return nil
    }
    let since = startedAt ?? now
    startedAt = since
    isMissing = isMissing || since.duration(to: now) >= patience
    return nil
  }

  /// When the next look is due although nothing changes.
  ///
  /// - Parameter isKnown: whether the printer tells what it does; else there is nothing to look at before it does.
  func nextDue(isKnown: Bool) -> MonotonicInstant? {
    var due: [MonotonicInstant] = []
    switch shadow {
    case .complete(let until), .cancelled(let until): due.append(until)
    case nil: break
    }
    guard isKnown else { return due.min() }
    if let cancelledAt { due.append(cancelledAt.advanced(by: Self.cancelPatience)) }
    guard !isMissing else { return due.min() }
    if let lostAt { due.append(lostAt.advanced(by: Self.grace)) }
    if let startedAt, job?.phase == .started { due.append(startedAt.advanced(by: patience)) }
    return due.min()
  }

  // MARK: The end

  private mutating func complete(_ reading: PolarReading, _ now: MonotonicInstant) -> JobEnd? {
    let end = finish(.completed)
    show(.complete(until: now.advanced(by: Self.completeShows)), reading.printState)
    return end
  }

  private mutating func cancelled(_ reading: PolarReading, _ now: MonotonicInstant) -> JobEnd? {
    let end = finish(.canceled)
    show(.cancelled(until: now.advanced(by: Self.cancelledShows)), reading.printState)
    return end
  }

  private mutating func finish(_ state: JobEnd.State) -> JobEnd? {
    guard let job else { return nil }
    self.job = nil
    isCancelling = false
    lostAt = nil
    startedAt = nil
    isMissing = false
    return JobEnd(job.id, state, counts)
  }

  private mutating func show(_ shadow: Shadow, _ state: String?) {
    self.shadow = shadow
    shadowState = state
  }

  /// A shadow ends by time, or when the printer does something else.
  private mutating func fade(_ reading: PolarReading, _ now: MonotonicInstant) {
    switch shadow {
    case .complete(let until), .cancelled(let until):
      if until <= now || reading.isJobOn { shadow = nil }
      // `complete` may still be on its way when the event of the end comes first.
      if case .complete = shadow, let was = shadowState, let state = reading.printState,
        was == "complete", state != was
      {
        shadow = nil
      }
      if shadowState != "complete", reading.printState == "complete" { shadowState = "complete" }
    case nil: break
    }
  }
}
