internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

extension SessionLoop {
  /// Sends one heartbeat and one report, and keeps a token that the relay rotated meanwhile.
  ///
  /// - Throws: `BackendFailure` of the first call that is not accepted.
  func runOnce(as identity: ReachIdentity) async throws {
    var identity = identity
    let answer = try await heartbeat(printerID: identity.printerID, token: identity.token)
    let reply = try accepted(answer, .heartbeat)
    var former: Secret?
    if let token = reply["rotatedToken"]?.string, HTTPField.canCarry(token),
      token != identity.token.revealed
    {
      former = identity.token
      identity = identity.rotated(to: Secret(token))
      try await context.identity.save(identity.json)
    }
    var ledger = ErrorLedger()
    let status = context.status.trusted(at: context.time.now)
    let errors = ledger.entries(status, now: context.time.now, wallTime: context.time.wallTime)
    var report = report(
      status, printerID: identity.printerID, token: identity.token, errors: errors)
    var verdict = try await client.post(
      RelayEndpoint.telemetry.path, report, token: identity.token)
    if case .unauthorised = verdict, let former {
      identity = identity.rotated(to: former)
      try await context.identity.save(identity.json)
      report["token"] = .string(former.revealed)
      verdict = try await client.post(RelayEndpoint.telemetry.path, report, token: former)
    }
    _ = try accepted(verdict, .telemetry)
    context.report(.online)
  }

  private func accepted(
    _ answer: RelayAnswer, _ endpoint: RelayEndpoint
  ) throws(BackendFailure) -> JSONObject {
    let problem = "\(endpoint.rawValue): \(answer.problem(host: client.relay.host) ?? "")"
    switch answer {
    case .accepted(let reply): return reply
    case .unauthorised: throw BackendFailure(.park, problem, remedy: answer.remedy)
    case .wait(_, let pause):
      throw BackendFailure(.retry(after: pause), problem, remedy: answer.remedy)
    default: throw BackendFailure(.retry(after: nil), problem, remedy: answer.remedy)
    }
  }
}
