internal import ConnectorKit
internal import Platform

/// Where the session and Firebase leave what the camera's loop goes by. Safe from any thread.
final class WebcamDesk: Sendable {
  /// What lies there.
  struct Outlook: Sendable, Hashable {
    /// Who wants pictures.
    var audience: FrameSchedule.Audience
    /// Whether they may go out; nil: the session has not begun.
    var passage: RelayPassage?
  }

  /// Wakes the camera's loop.
  let nudge = Nudge()
  private let kept: Guarded<Outlook>

  /// A desk for this audience.
  init(_ audience: FrameSchedule.Audience) { kept = Guarded(Outlook(audience: audience)) }

  /// What lies there now.
  var outlook: Outlook { kept.withLock { $0 } }

  /// The session has moved on.
  func show(_ passage: RelayPassage) { change { $0.passage = passage } }

  /// Somebody watches until then, or nobody does.
  func show(viewerUntil end: MonotonicInstant?) {
    change { $0.audience = end.map { .viewer(until: $0) } ?? .nobody }
  }

  private func change(_ body: (inout Outlook) -> Void) {
    let isNews = kept.withLock { outlook in
      let former = outlook
      body(&outlook)
      return outlook != former
    }
    if isNews { nudge.send() }
  }
}
