package import ConnectorKit
internal import Platform

/// Connects a printer to the Reach relay. The wire: `docs/connectors/reach.md`.
package struct ReachRelayBackend: ConnectorBackend {
  private let configuration: ReachConfiguration
  private let context: BackendContext
  private let startedAt: MonotonicInstant

  /// Reads the settings; touches nothing else.
  package init(settings: Settings, context: BackendContext) async throws {
    configuration = try ReachConfiguration(settings)
    self.context = context
    startedAt = context.time.now
  }

  /// Pairs if need be, then sends heartbeats and reports until cancelled.
  package func run() async throws {
    let identity = try await pairing.identity(insists: true)
    try await loop(for: identity).run(as: identity)
  }

  /// Pairs if need be, sends one heartbeat and one report, takes one command, and pushes what is owed.
  package func runOnce() async throws {
    let identity = try await pairing.identity(insists: false)
    try await loop(for: identity).runOnce(as: identity)
  }

  private var pairing: Pairing { Pairing(configuration: configuration, context: context) }

  private func loop(for identity: ReachIdentity) -> SessionLoop {
    let client = RelayClient(
      relay: identity.relay(configuration), configuration: configuration, context: context)
    return SessionLoop(
      client: client, configuration: configuration, context: context, startedAt: startedAt)
  }
}
