internal import ConnectorKit
internal import Platform

/// What the session lets pictures know: with which token they go, and whether anything may go at all.
struct RelayPassage: Sendable, Hashable {
  /// The token in use.
  var token: Secret
  /// From when on calls may go out; nil: the token is in doubt, or the link is away, and heartbeats go first.
  var opensAt: MonotonicInstant?
  /// How often the relay has accepted the token in use.
  var acceptances: UInt64 = 0
}

extension RelaySession {
  /// Whether something may go out beside the session's own calls.
  var passage: RelayPassage {
    let isOpen = standing == .good && awaitsHeartbeatSince == nil && ending == nil
    return RelayPassage(
      token: identity.token, opensAt: isOpen ? heldUntil : nil, acceptances: acceptances)
  }

  /// Holds all calls back because the answer to a picture asks for it.
  mutating func holdAll(for pause: Duration, _ now: MonotonicInstant) {
    heldUntil = max(heldUntil, now.advanced(by: pause))
  }
}
