internal import Platform

/// When a picture is due. A value without a clock.
struct CameraSchedule: Sendable {
  /// After failures a camera is asked more seldom, but at least as often as this.
  static let longestWait = Duration.seconds(600)

  /// What is due.
  struct Due: Sendable, Hashable {
    /// A picture for the hub.
    var capture = false
    /// A picture to keep.
    var timelapse = false
  }

  private let rules: CameraRules
  private var captureAt: MonotonicInstant
  private var timelapseAt: MonotonicInstant?
  private var failures = 0
  private var isPrinting = false
  private var state: String?

  /// A schedule that begins at `now` with a picture.
  init(_ rules: CameraRules, now: MonotonicInstant) {
    self.rules = rules
    captureAt = now
  }

  /// Takes in what the printer does: each change of it is worth a picture.
  mutating func observe(_ new: String?, isPrinting: Bool, _ now: MonotonicInstant) {
    if isPrinting != self.isPrinting {
      self.isPrinting = isPrinting
      timelapseAt = isPrinting && rules.timelapseInterval != nil ? now : nil
    }
    guard new != state else { return }
    state = new
    // A camera that is out of order is not asked sooner for that.
    if failures == 0 { captureAt = min(captureAt, now) }
  }

  /// What is due at `now`.
  func due(_ now: MonotonicInstant) -> Due {
    Due(capture: captureAt <= now, timelapse: timelapseAt.map { $0 <= now } ?? false)
  }

  /// When something is due next.
  var next: MonotonicInstant { min(captureAt, timelapseAt ?? captureAt) }

  /// A picture has been taken, or has not.
  mutating func ended(_ due: Due, isDone: Bool, _ now: MonotonicInstant) {
    let interval = isPrinting ? rules.interval : rules.idleInterval
    failures = isDone ? 0 : min(failures + 1, 20)
    if due.capture || !isDone {
      captureAt = now.advanced(by: isDone ? interval : wait(interval))
    }
    guard let timelapse = rules.timelapseInterval, timelapseAt != nil, due.timelapse || !isDone
    else { return }
    timelapseAt = now.advanced(by: isDone ? timelapse : wait(timelapse))
  }

  private func wait(_ interval: Duration) -> Duration {
    let base = min(interval, rules.interval)
    return min(max(base, .seconds(1)) * (1 << min(failures, 12)), Self.longestWait)
  }
}
