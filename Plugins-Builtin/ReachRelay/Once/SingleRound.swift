internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// One round with a paired relay, call after call, for `run --once` and for a probe: a token that is rotated meanwhile is
/// kept, and one that is refused gives way to the one before it, once.
struct SingleRound {
  let loop: SessionLoop
  /// As whom the next call goes out.
  private(set) var identity: ReachIdentity
  /// What a later start would begin with.
  private var stored: ReachIdentity

  init(_ loop: SessionLoop, as identity: ReachIdentity) {
    self.loop = loop
    self.identity = identity
    stored = identity
  }

  /// Sends one heartbeat.
  ///
  /// - Throws: `BackendFailure` where it is not accepted; `CancellationError`; what the identity store throws.
  mutating func heartbeat() async throws {
    let loop = loop
    let reply = try await call(.heartbeat) { identity in
      try await loop.heartbeat(printerID: identity.printerID, token: identity.token)
    }
    guard let token = reply["rotatedToken"]?.string, HTTPField.canCarry(token),
      token != identity.token.revealed
    else { return }
    try await store(identity.rotated(to: Secret(token), from: identity.token))
  }

  /// Sends one report; throws as ``heartbeat()``.
  mutating func report() async throws {
    let loop = loop
    let time = loop.context.time
    var ledger = ErrorLedger()
    let status = loop.context.status.trusted(at: time.now)
    let errors = ledger.entries(status, now: time.now, wallTime: time.wallTime)
    _ = try await call(.telemetry) { identity in
      let body = loop.report(
        status, printerID: identity.printerID, token: identity.token, errors: errors)
      return try await loop.client.post(.telemetry, body, token: identity.token)
    }
  }

  /// Asks once for a command; it takes as long as the relay holds the question. Throws as ``heartbeat()``.
  mutating func pull() async throws -> PulledCommand {
    let loop = loop
    return PulledCommand(
      try await call(.pull) { identity in
        try await loop.client.post(
          .pull, RelayBodies.pull(printerID: identity.printerID), token: identity.token)
      })
  }

  /// Pushes every result that is owed, in order; throws as ``heartbeat()``, and what is left stays owed.
  mutating func push(_ runner: CommandRunner) async throws {
    let outbox = loop.context.outbox
    while let entry = await outbox.peek() {
      let verdict: OutboxVerdict
      if runner.age(of: entry) >= SessionLoop.worth {
        verdict = .reject(RelaySession.outOfDate)
      } else {
        do {
          verdict = try await push(entry.item)
        } catch {
          await outbox.settle(entry, .keep)
          throw error
        }
      }
      await outbox.settle(entry, verdict)
      runner.settled(entry)
    }
  }

  // MARK: Single calls

  private mutating func push(_ item: OwedItem) async throws -> OutboxVerdict {
    switch try await answer(to: .push, pushing(item.body)) {
    case .accepted, .refused(status: 409, _): return .accept
    case .refused(status: 413, _):
      let short = CommandResult.tooLarge(item.body["requestId"]?.string ?? item.key)
      switch try await answer(to: .push, pushing(short.body)) {
      case .accepted: return .accept
      case .refused(_, let words): return .reject(words)
      case let other: throw failure(other, .push)
      }
    case .forbidden(status: 404, let words), .refused(_, let words): return .reject(words)
    case let other: throw failure(other, .push)
    }
  }

  private func pushing(
    _ result: JSONObject
  ) -> (ReachIdentity) async throws -> RelayAnswer {
    { [loop] identity in
      try await loop.client.post(
        .push, RelayBodies.push(printerID: identity.printerID, result), token: identity.token)
    }
  }

  /// Makes a call that has to be accepted.
  private mutating func call(
    _ endpoint: RelayEndpoint, _ send: (ReachIdentity) async throws -> RelayAnswer
  ) async throws -> JSONObject {
    let answer = try await answer(to: endpoint, send)
    guard case .accepted(let reply) = answer else { throw failure(answer, endpoint) }
    return reply
  }

  /// Makes a call with the token in use, and where that is refused with the one before it.
  private mutating func answer(
    to endpoint: RelayEndpoint, _ send: (ReachIdentity) async throws -> RelayAnswer
  ) async throws -> RelayAnswer {
    var answer = try await send(identity)
    if case .unauthorised = answer, let previous = identity.previousToken {
      loop.context.log(
        .warning,
        "\(loop.client.relay.host) does not accept its new token; trying the former one")
      // Not on the disk, which keeps both until one of them has been accepted.
      identity = identity.using(previous)
      answer = try await send(identity)
    }
    if case .accepted = answer {
      let proven = identity.using(identity.token)
      if proven != stored { try await store(proven) } else { identity = proven }
    }
    return answer
  }

  private mutating func store(_ wanted: ReachIdentity) async throws {
    try await loop.context.identity.save(wanted.json)
    stored = wanted
    identity = wanted
  }

  private func failure(_ answer: RelayAnswer, _ endpoint: RelayEndpoint) -> BackendFailure {
    let problem =
      "\(endpoint.rawValue): \(answer.problem(host: loop.client.relay.host) ?? "not accepted")"
    return switch answer {
    case .unauthorised: BackendFailure(.park, problem, remedy: answer.remedy)
    case .wait(_, let pause):
      BackendFailure(.retry(after: pause), problem, remedy: answer.remedy)
    default: BackendFailure(.retry(after: nil), problem, remedy: answer.remedy)
    }
  }
}
