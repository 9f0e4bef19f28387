internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

// What an answer means.

extension RelaySession {
  mutating func take(
    _ answer: RelayAnswer, to call: RelayCall, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    let endpoint = call.endpoint
    change(endpoint) { $0.inFlight = nil }
    if case .unreachable = answer {
      if endpoint == .telemetry, awaitsHeartbeatSince != nil {
        awaitsHeartbeatSince = now
        isProbeDue = false
      } else if endpoint == .heartbeat, lastAnswerAt.map({ $0 < call.startedAt }) ?? true {
        // Where a report was answered meanwhile, it is this endpoint and not the link.
        let since = awaitsHeartbeatSince ?? now
        awaitsHeartbeatSince = since
        isProbeDue = now >= since.advanced(by: Self.probeAfter)
      }
    } else {
      lastAnswerAt = now
      if awaitsHeartbeatSince != nil {
        awaitsHeartbeatSince = nil
        isProbeDue = false
        // The link is back: a report that failed meanwhile is due.
        change(.telemetry) { $0.retryAt = now }
      }
    }
    if endpoint == .push, settles(answer, &actions) { return }
    switch answer {
    case .accepted(let reply): accept(reply, call, now, &actions)
    case .unauthorised: doubt(call, now, &actions)
    case .forbidden:
      change(endpoint) { $0.refusals += 1 }
      let pause = ExponentialBackoff.Policy.refusal
        .wait(afterFailure: lane(endpoint).refusals, random: rules.random())
      hold(for: pause, after: endpoint, now)
      note(answer, call, &actions)
    case .wait(_, let pause):
      hold(for: pause, after: endpoint, now)
      note(answer, call, &actions)
    case .refused where endpoint == .pull: retry(answer, call, now, &actions)
    case .refused:
      change(endpoint) { $0.failures = 0 }
      // It finds fault with something else than the token; the next heartbeat comes in its turn.
      if endpoint == .heartbeat, call.token == identity.token { standing = .good }
      note(answer, call, &actions)
    case .redirected, .failed, .unreadable, .unreachable: retry(answer, call, now, &actions)
    }
  }

  private mutating func retry(
    _ answer: RelayAnswer, _ call: RelayCall, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    let endpoint = call.endpoint
    change(endpoint) { $0.failures += 1 }
    let policy: ExponentialBackoff.Policy = endpoint == .push ? .push : .failure
    let pause = policy.wait(afterFailure: lane(endpoint).failures, random: rules.random())
    change(endpoint) { $0.retryAt = now.advanced(by: pause) }
    note(answer, call, &actions)
  }

  mutating func accept(
    _ reply: JSONObject, _ call: RelayCall, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    let endpoint = call.endpoint
    if call.token == identity.token {
      standing = .good
      refusedCalls = 0
      acceptances &+= 1
      prove(&actions)
    }
    if lane(endpoint).problem != nil {
      actions.append(.log(.info, "\(endpoint.rawValue): \(rules.host) accepts it again"))
    }
    change(endpoint) {
      $0.failures = 0
      $0.refusals = 0
      $0.problem = nil
    }
    occurrences.reset { $0.hasPrefix(endpoint.rawValue) }
    switch endpoint {
    case .heartbeat:
      isKnown = true
      if let seconds = reply["nextCheckIn"]?.double, seconds > 0 {
        heartbeatInterval = .seconds(Int64(min(max(seconds, 5), 3_600)))
      }
      if let token = reply["rotatedToken"]?.string, HTTPField.canCarry(token),
        token != identity.token.revealed
      {
        if unsaved?.token.revealed != token {
          actions.append(.log(.info, "\(rules.host) gives this printer a new token"))
        }
        unsaved = identity.rotated(to: Secret(token), from: call.token)
      }
      // Before its first use, and again as long as that does not succeed.
      if let unsaved { want(unsaved, &actions) }
      actions.append(.confirm(heartbeatInterval * Self.heartbeatsForHealth))
    case .pull: take(PulledCommand(reply), call, now, &actions)
    case .push: break
    case .telemetry:
      if let seconds = reply["nextDataInterval"]?.double, seconds > 0 {
        dataInterval = .seconds(min(max(seconds, 1), 3_600))
      }
    }
  }

  /// Holds all calls back, and then tries `endpoint` again: after refusals and requests to wait.
  mutating func hold(
    for pause: Duration, after endpoint: RelayEndpoint, _ now: MonotonicInstant
  ) {
    let end = max(heldUntil, now.advanced(by: pause))
    heldUntil = end
    change(endpoint) {
      $0.failures += 1
      $0.retryAt = end
    }
    if endpoint == .heartbeat { awaitsHeartbeatSince = end }
  }
}
