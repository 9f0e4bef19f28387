internal import Platform

/// When a status is due: at once when the state or the job changes, else every 5 s where something changed, else now and then.
struct StatusSchedule: Sendable {
  /// The least time between two that are told at once.
  static let breath = Duration.seconds(1)
  /// The least time between two that are not.
  static let step = Duration.seconds(5)

  /// The longest silence.
  let interval: Duration
  private var last: (report: StatusReport, at: MonotonicInstant)?

  init(interval: Duration) { self.interval = interval }

  /// What was told before counts no more: the next one is due at once.
  mutating func forget() { last = nil }

  /// One was sent.
  mutating func sent(_ report: StatusReport, at now: MonotonicInstant) { last = (report, now) }

  /// When `report` is due: now or earlier means at once.
  func due(_ report: StatusReport, _ now: MonotonicInstant) -> MonotonicInstant {
    guard let last else { return now }
    if report.isTurn(since: last.report) { return last.at.advanced(by: Self.breath) }
    if report.isNews(since: last.report) { return last.at.advanced(by: Self.step) }
    return last.at.advanced(by: interval)
  }

  /// When the next look is due: readings that change a little wake nobody.
  func nextLook(_ now: MonotonicInstant) -> MonotonicInstant? {
    guard let last else { return now }
    let step = last.at.advanced(by: Self.step)
    if step > now { return step }
    return min(now.advanced(by: Self.step), last.at.advanced(by: interval))
  }
}
