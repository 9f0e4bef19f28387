package import ConnectorKit

/// Connects a printer to the Reach relay. The wire: `docs/connectors/reach.md`.
package struct ReachRelayBackend: ConnectorBackend {
  package static let descriptor = ConnectorDescriptor(
    type: "reach", title: "the Reach relay", summary: "", settings: [], reads: StatusInterest(),
    minimalExample: "type: reach", intention: { _ in "" })

  package init(settings: Settings, context: BackendContext) async throws {}

  package func run() async throws {}

  package func runOnce() async throws {}
}
