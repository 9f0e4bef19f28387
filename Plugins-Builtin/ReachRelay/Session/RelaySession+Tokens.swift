internal import ConnectorKit
internal import Platform

// Which token is in use, and whether the relay still takes it.

extension RelaySession {
  /// So many calls go out at most with a token that is refused.
  private static let mostRefusedCalls = 4

  /// Has an identity stored: now, or behind the one that is being stored.
  mutating func want(_ wanted: ReachIdentity, _ actions: inout [Action]) {
    unsaved = wanted
    guard !isSaving else { return }
    isSaving = true
    actions.append(.save(wanted))
  }

  /// An identity is on the disk: its token may be used.
  mutating func adopt(_ saved: ReachIdentity, _ actions: inout [Action]) {
    isSaving = false
    stored = saved
    guard let unsaved else { return }
    // Another one is wanted by now.
    guard saved == unsaved else { return want(unsaved, &actions) }
    self.unsaved = nil
    // In use already where it was all that the relay took.
    if saved.token != identity.token { identity = saved }
  }

  /// The relay accepts the token in use: the one before it is not needed any more, on the disk neither.
  mutating func prove(_ actions: inout [Action]) {
    identity.previousToken = nil
    guard identity != stored, identity != unsaved else { return }
    // Where another token is about to be stored, that write says it all.
    if let unsaved, unsaved.token != identity.token { return }
    want(identity, &actions)
  }

  /// When the other token is tried: at once, but no more than once in a heartbeat's interval, whatever the relay gives us.
  private mutating func nextFallback(_ now: MonotonicInstant) -> MonotonicInstant {
    let at = lastFallback.map { max(now, $0.advanced(by: heartbeatInterval)) } ?? now
    lastFallback = at
    return at
  }

  mutating func complain(aboutSaving reason: String, _ actions: inout [Action]) {
    isSaving = false
    if let count = occurrences.note("saving") {
      actions.append(
        .log(
          .error,
          "the new token cannot be stored, so the former stays in use: \(reason)\(Self.times(count))"
        ))
    }
  }

  /// The relay does not accept the token that `call` went out with.
  mutating func doubt(
    _ call: RelayCall, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    // An answer to a token that is out of use by now says nothing.
    guard call.token == identity.token else { return }
    refusedCalls += 1
    if let unsaved, unsaved.token != identity.token {
      // The pairing would be lost with the token that is only in memory.
      identity = unsaved
      standing = .fallenBack(at: nextFallback(now))
      change(.heartbeat) { $0.failures = 0 }
      actions.append(
        .log(.warning, "\(rules.host) takes only its new token, which is used before it is stored"))
      return
    }
    if let previous = identity.previousToken {
      // The disk keeps both until the relay has accepted one of them.
      unsaved = nil
      identity = identity.using(previous)
      standing = .fallenBack(at: nextFallback(now))
      change(.heartbeat) { $0.failures = 0 }
      actions.append(
        .log(.warning, "\(rules.host) does not accept its new token; trying the former one"))
      return
    }
    switch standing {
    case .good, .fallenBack:
      standing = .checking(at: now.advanced(by: .seconds(5)))
      change(.heartbeat) { $0.failures = 0 }
      actions.append(
        .log(.warning, "\(rules.host) does not accept the token; checking once more in 5 s"))
    case .checking(let at):
      // Calls that were under way are refused too, and decide nothing: with four of them nothing is left to ask.
      let isCheck = call.endpoint == .heartbeat && call.startedAt >= at
      guard isCheck || refusedCalls >= Self.mostRefusedCalls else { return }
      actions.append(
        .park(
          problem: "\(rules.host) has revoked this printer's token",
          remedy: RelayAnswer.unauthorised("").remedy))
    }
  }
}
