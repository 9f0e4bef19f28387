package import ConnectorKit

/// Connects a printer to PrintDock: pairing, heartbeats and snapshots. The wire: `docs/connectors/printdock.md`.
package struct PrintDockBackend: ConnectorBackend {
  package static let descriptor = ConnectorDescriptor(
    type: "printdock", title: "PrintDock",
    summary: "Shows the printer's state in PrintDock; takes no commands.",
    settings: PrintDockSettings.all, reads: SnapshotEncoder.interest,
    minimalExample: """
      type: printdock
      pairing_token: PAIR_0123456789
      """,
    environment: [EnvironmentRule("CLOUD_URL", setting: "cloud_url", .overridesFile)],
    refusedKeys: PrintDockSettings.refused,
    intention: { intention($0) })

  package init(settings: Settings, context: BackendContext) async throws {}

  package func run() async throws {}

  package func runOnce() async throws {}
}
