internal import ConnectorKit
internal import JSON
internal import Platform

/// Finds out who we are at PrintDock: from the configuration, from an earlier pairing, or by pairing now.
struct Pairing: Sendable {
  /// The statuses after which the same token will never do.
  static let final: Set<Int> = [400, 401, 403, 404, 409, 410, 422]

  let settings: Settings
  let client: CloudClient
  let context: BackendContext
  let standing: Standing

  /// The identity to report with.
  ///
  /// - Parameter keepsTrying: whether to go on through failures that pass, until cancelled.
  /// - Throws: `BackendFailure`: *park* when a person has to act; `CloudError` when not to keep trying;
  ///   `CancellationError`.
  func identity(keepsTrying: Bool) async throws -> Identity {
    let stored = try await context.identity.load().flatMap { Identity(stored: $0) }
    switch PairingDecision(settings: settings, stored: stored) {
    case .use(let identity, let spentToken):
      if spentToken { await context.retireSecret(PrintDockSettings.pairingToken.declaration.key) }
      return identity
    case .pair(let token):
      let identity = try await pair(with: token, keepsTrying: keepsTrying)
      try await store(identity, keepsTrying: keepsTrying)
      if let stored, stored.connectorID != identity.connectorID { await forgetDebts() }
      context.log(
        .info, "paired: connector \(identity.connectorID), printer \(identity.printerID)")
      await context.retireSecret(PrintDockSettings.pairingToken.declaration.key)
      return identity
    case .missing:
      throw BackendFailure(
        .park, "not paired with PrintDock",
        remedy: "get a token at PrintDock, then 'printer-uplink pair' with this entry's name")
    }
  }

  private func pair(with token: Secret, keepsTrying: Bool) async throws -> Identity {
    let request = PairingRequest(
      token: token, settings: settings, printerName: context.printerName)
    let body = request.body
    context.log(.info, "pairing with \(settings[PrintDockSettings.cloudURL])")
    var backoff = ExponentialBackoff(.printDock)
    while true {
      do {
        // To its end: the token is spent by the request, whether or not its answer is awaited.
        let answer = try await context.finishing { [client] in
          try await client.register(body, token: token)
        }
        let identity = try PairingAnswer.identity(in: answer, token: token)
        standing.paired()
        return identity
      } catch let defect as PairingAnswer.Defect {
        throw BackendFailure(
          .park, "PrintDock's answer to pairing cannot be used: \(defect.problem)",
          remedy:
            "the token may be spent: make a new one at PrintDock, then 'printer-uplink pair' with this entry's name"
        )
      } catch let error as CloudError {
        try Task.checkCancellation()
        if let status = error.status, Self.final.contains(status) {
          throw BackendFailure(
            .park, "PrintDock refuses the pairing token (\(error.words))",
            remedy:
              "make a new token at PrintDock, then 'printer-uplink pair' with this entry's name")
        }
        guard keepsTrying else { throw error }
        let wait = backoff.failed(random: context.random(), retryAfter: error.retryAfter)
        standing.ended(.pairing, error: error, probe: context.time.now)
        try await context.time.sleep(for: wait)
      }
    }
  }

  /// Drops what another connector is owed: this one would be refused for it, again and again.
  private func forgetDebts() async {
    while let entry = await context.outbox.peek() {
      await context.outbox.settle(
        entry, .reject("it belongs to an earlier pairing, with another connector"))
    }
  }

  /// Stores the identity, whatever it takes: the token is spent, and there is no second answer.
  private func store(_ identity: Identity, keepsTrying: Bool) async throws {
    var backoff = ExponentialBackoff(.printDock)
    var attempts = 0
    while true {
      do {
        return try await context.identity.save(identity.stored)
      } catch {
        try Task.checkCancellation()
        attempts += 1
        if !keepsTrying && attempts == 3 { throw error }
        standing.degraded(
          "the pairing cannot be stored: \(error)",
          remedy:
            "make room in the state directory; do not end printer-uplink before, the token is "
            + "spent")
        try await context.time.sleep(for: backoff.failed(random: context.random()))
      }
    }
  }
}
