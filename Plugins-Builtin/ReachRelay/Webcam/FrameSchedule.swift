internal import ConnectorKit
internal import Platform

/// When the next picture is due. Pure.
///
/// Every failure is over with the next picture, but for answers that say that pictures are not wanted at all.
struct FrameSchedule: Sendable {
  /// Who wants pictures.
  enum Audience: Sendable, Hashable {
    case everybody
    case viewer(until: MonotonicInstant)
    case nobody

    /// Whether pictures are wanted at `now`.
    func isThere(at now: MonotonicInstant) -> Bool {
      switch self {
      case .everybody: true
      case .viewer(let end): now < end
      case .nobody: false
      }
    }
  }

  /// So long no picture is sent to a relay that does not take them.
  static let refusal = Duration.seconds(3_600)
  /// So long nobody looks for a camera that is not there.
  static let search = Duration.seconds(60)

  /// The least time between two pictures.
  let interval: Duration
  private(set) var notBefore = MonotonicInstant(sinceOrigin: .zero)
  /// How often the token had been accepted when a picture was not: the session finds out what that means.
  private var doubtedAt: UInt64?

  /// A schedule that has sent nothing.
  init(interval: Duration) { self.interval = interval }

  /// When the next picture is due if nothing changes; nil: not before something does.
  func due(
    for audience: Audience, _ passage: RelayPassage, now: MonotonicInstant
  ) -> MonotonicInstant? {
    guard let opensAt = passage.opensAt, doubtedAt.map({ passage.acceptances > $0 }) ?? true
    else { return nil }
    let due = max(notBefore, opensAt, now)
    return audience.isThere(at: due) ? due : nil
  }

  /// A picture is captured, or sent: the next one is due an interval later.
  mutating func began(at now: MonotonicInstant) { notBefore = now.advanced(by: interval) }

  /// There was no picture.
  mutating func missed(_ kind: WebcamFailure.Kind, at now: MonotonicInstant) {
    switch kind {
    case .noCamera, .notPermitted:
      notBefore = max(notBefore, now.advanced(by: Self.search))
    case .unreachable, .notAnImage, .tooLarge: break
    }
  }

  /// A picture that went out with `passage` has been answered.
  mutating func ended(
    _ answer: RelayAnswer, _ passage: RelayPassage, at now: MonotonicInstant
  ) {
    doubtedAt = nil
    switch answer {
    case .forbidden(status: 404, _), .refused(status: 413, _):
      notBefore = now.advanced(by: Self.refusal)
    case .wait(_, let pause): notBefore = max(notBefore, now.advanced(by: pause))
    case .unauthorised: doubtedAt = passage.acceptances
    case .accepted, .forbidden, .refused, .redirected, .failed, .unreadable, .unreachable: break
    }
  }
}
