internal import ConnectorKit
internal import Platform

// Which token is in use, and whether the relay still takes it.

extension RelaySession {
  /// So many calls go out at most with a token that is refused.
  private static let mostRefusedCalls = 4

  mutating func adopt(_ saved: ReachIdentity) {
    isSaving = false
    guard saved == unsaved else { return }
    unsaved = nil
    // In use already where it was all that the relay took.
    guard saved != identity else { return }
    previousToken = identity.token
    identity = saved
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
    if let unsaved, unsaved != identity {
      // The former token is out of use, and the pairing would be lost with the one that is only in memory.
      previousToken = identity.token
      identity = unsaved
      standing = .fallenBack
      change(.heartbeat) { $0.failures = 0 }
      actions.append(
        .log(.warning, "\(rules.host) takes only its new token, which is used before it is stored"))
      return
    }
    if let previous = previousToken {
      previousToken = nil
      unsaved = nil
      identity = identity.rotated(to: previous)
      standing = .fallenBack
      change(.heartbeat) { $0.failures = 0 }
      actions.append(.save(identity))
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
    case .checking:
      // Calls that were under way are refused too: with four of them nothing is left to ask.
      guard call.endpoint == .heartbeat || refusedCalls >= Self.mostRefusedCalls else { return }
      actions.append(
        .park(
          problem: "\(rules.host) has revoked this printer's token",
          remedy: RelayAnswer.unauthorised("").remedy))
    }
  }
}
