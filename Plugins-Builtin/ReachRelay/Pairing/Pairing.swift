internal import ConnectorKit
internal import JSON
internal import Platform

/// Finds out who this printer is for its relay: stored, configured, or paired now.
struct Pairing {
  let configuration: ReachConfiguration
  let context: BackendContext

  /// The identity to go on with; pairs where that is needed.
  ///
  /// - Parameter insists: whether to try again until the relay answers; else the first failure is thrown.
  /// - Throws: `BackendFailure`: *park* when there is nothing to pair with or the code is refused.
  func identity(insists: Bool) async throws -> ReachIdentity {
    let stored = try await context.identity.load()
    let known = stored.flatMap(ReachIdentity.init)
    if stored != nil, known == nil {
      context.log(.warning, "the stored pairing has no token or no printer id and is not used")
    }
    switch PairingDecision(configuration, stored: known) {
    case .paired(let identity): return identity
    case .claim(let code):
      let identity = try await claim(code, insists: insists)
      if identity.printerID != known?.printerID { await dropResults() }
      return identity
    case .unpaired:
      throw BackendFailure(
        .park, "not paired: there is no pairing_code, no token and no stored pairing",
        remedy: "take a pairing code from the dashboard's wizard and add it as pairing_code")
    }
  }

  /// What is owed for commands of a former pairing is nothing to the printer that we are now.
  private func dropResults() async {
    // As many as there can be: what cannot be taken out is not tried for ever.
    for _ in 0..<1_000 {
      guard let entry = await context.outbox.peek() else { return }
      await context.outbox.settle(entry, .reject("it belongs to a former pairing"))
    }
  }

  private func claim(_ code: Secret, insists: Bool) async throws -> ReachIdentity {
    let client = RelayClient(
      relay: configuration.relay, configuration: configuration, context: context)
    var failures = 0
    var occurrences = OccurrenceThrottle<String>()
    while true {
      let address = await LocalAddress.find(
        configured: configuration.printerIP, relay: configuration.relay)
      let body = RelayBodies.claim(
        code: code, agentVersion: configuration.agentVersion,
        moonrakerAddress: context.moonrakerAddress, localAddress: address)
      // To its end: the code is spent by the request, whether or not its answer is awaited.
      let answer = try await context.finishing {
        try await client.post("/api/reach-link/pairing/claim", body, token: nil, code: code)
      }
      switch PairingClaim(answer, code: code, configuration: configuration) {
      case .paired(let identity, let rejectedMove):
        if let rejectedMove {
          context.log(
            .warning,
            "the relay would move this printer to \(rejectedMove), which is not followed; set allow_relay_move: true if that is right"
          )
        }
        try await store(identity, insists: insists)
        await context.retireSecret(ReachRelaySettings.pairingCode.declaration.key)
        context.log(
          .info, "paired with \(configuration.relay.host) as printer \(identity.printerID)")
        return identity
      case .refused(let reason):
        throw BackendFailure(
          .park, "unpaired: \(configuration.relay.host) refuses the pairing code (\(reason))",
          remedy: "take a new pairing code from the dashboard's wizard and set pairing_code to it")
      case .again(let problem, let pause):
        failures += 1
        let line = "pairing: \(problem)"
        guard insists else {
          throw BackendFailure(.retry(after: pause), line, remedy: answer.remedy)
        }
        if let count = occurrences.note(answer.kind) {
          context.log(.warning, "\(line)\(count > 1 ? " (\(count) times)" : ""); \(answer.remedy)")
        }
        if failures > 1 { context.report(.degraded(problem: line, remedy: answer.remedy)) }
        let delay =
          pause
          ?? ExponentialBackoff.Policy.failure
          .wait(afterFailure: failures, random: context.random())
        try await context.time.sleep(for: delay)
      }
    }
  }

  /// Stores what the claim yielded, whatever it takes: the code is spent, and there is no second answer.
  private func store(_ identity: ReachIdentity, insists: Bool) async throws {
    var failures = 0
    while true {
      do {
        return try await context.identity.save(identity.json)
      } catch {
        try Task.checkCancellation()
        failures += 1
        guard insists || failures < 3 else { throw error }
        let problem = "the pairing cannot be stored: \(error)"
        let remedy =
          "make room in the state directory; do not end \(Product.name) before, the code is spent"
        if failures == 1 { context.log(.error, "\(problem); \(remedy)") }
        context.report(.degraded(problem: problem, remedy: remedy))
        try await context.time.sleep(
          for: ExponentialBackoff.Policy.failure
            .wait(afterFailure: failures, random: context.random()))
      }
    }
  }
}
