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
  /// So long a job may be out of sight before it counts as gone: its end may be told a moment later.
  static let grace = Duration.seconds(3)

  /// The job that is on.
  private(set) var job: CloudJob?
  /// Whether a cancel of the cloud is on its way.
  var isCancelling = false
  private(set) var shadow: Shadow?
  private var startedAt: MonotonicInstant?
  private var lostAt: MonotonicInstant?
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
    counts = JobCounts()
  }

  /// It was started, or may have been.
  mutating func started(_ now: MonotonicInstant) {
    guard job?.phase == .preparing else { return }
    job?.phase = .started
    startedAt = now
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
    guard let job, job.phase != .preparing, reading.isKnown else { return nil }
    let isMine = reading.filename == job.path
    if isMine, let counts = reading.counts(of: job.path) { self.counts = counts }
    if isMine, reading.isJobOn {
      self.job?.phase = .running
      lostAt = nil
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
      guard since.duration(to: now) >= Self.grace else { return nil }
      return finish(.canceled)
    }
    let since = startedAt ?? now
    startedAt = since
    guard since.duration(to: now) >= Self.patience else { return nil }
    return finish(.canceled)
  }

  /// When the next look is due although nothing changes.
  func nextDue(_ now: MonotonicInstant) -> MonotonicInstant? {
    var due: [MonotonicInstant] = []
    switch shadow {
    case .complete(let until), .cancelled(let until): due.append(until)
    case nil: break
    }
    if let lostAt { due.append(lostAt.advanced(by: Self.grace)) }
    if let startedAt, job?.phase == .started { due.append(startedAt.advanced(by: Self.patience)) }
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
