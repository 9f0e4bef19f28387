package import ConnectorKit

/// Connects a printer to PrintDock. The wire: `docs/connectors/printdock.md`.
package struct PrintDockBackend: ConnectorBackend {
  package static let descriptor = ConnectorDescriptor(
    type: "printdock", title: "PrintDock", summary: "", settings: [], reads: StatusInterest(),
    minimalExample: "type: printdock", intention: { _ in "" })

  package init(settings: Settings, context: BackendContext) async throws {}

  package func run() async throws {}

  package func runOnce() async throws {}
}
