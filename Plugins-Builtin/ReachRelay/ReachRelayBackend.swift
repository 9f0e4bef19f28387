package import ConnectorKit

/// Connects a printer to the Reach relay. The wire: `docs/connectors/reach.md`.
package struct ReachRelayBackend: ConnectorBackend {
  package init(settings: Settings, context: BackendContext) async throws {}

  package func run() async throws {}

  package func runOnce() async throws {}
}
