package import ConnectorKit
internal import Platform

extension ReachRelayBackend {
  /// Sends one heartbeat: the only call that says whether the relay knows this printer, and does nothing but that. A token
  /// that the relay rotates with it is kept, so the caller must hold the lock of the state directory.
  package static func probe(
    settings: Settings, context: BackendContext
  ) async throws -> ProbeReport? {
    let configuration: ReachConfiguration
    do throws(BackendFailure) {
      configuration = try ReachConfiguration(settings)
    } catch {
      return ProbeReport(summary: "\(error.problem); \(error.remedy)", isHealthy: false)
    }
    let host = configuration.relay.host
    let stored = try await context.identity.load().flatMap(ReachIdentity.init)
    guard case .paired(let identity) = PairingDecision(configuration, stored: stored) else {
      return ProbeReport(summary: "not paired with \(host) yet", isHealthy: false)
    }
    let client = RelayClient(
      relay: identity.relay(configuration), configuration: configuration, context: context)
    let loop = SessionLoop(
      client: client, configuration: configuration, context: context, startedAt: context.time.now)
    var round = SingleRound(loop, as: identity)
    do {
      try await round.heartbeat()
    } catch let failure as BackendFailure {
      return ProbeReport(summary: "\(failure.problem); \(failure.remedy)", isHealthy: false)
    }
    return ProbeReport(
      summary: "\(client.relay.host) answers, and knows printer \(identity.printerID)",
      isHealthy: true)
  }
}
