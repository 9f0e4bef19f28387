package import ConnectorKit
internal import Platform

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

  private let settings: Settings
  private let context: BackendContext
  private let client: CloudClient
  private let standing: Standing
  private let startedAt: MonotonicInstant

  package init(settings: Settings, context: BackendContext) async throws {
    self.settings = settings
    self.context = context
    client = CloudClient(
      url: settings[PrintDockSettings.cloudURL], http: context.http, time: context.time)
    standing = Standing(log: context.log, report: context.report)
    startedAt = context.time.now
  }

  package func run() async throws {
    let identity = try await pairing.identity(keepsTrying: true)
    context.log(
      .info,
      "reporting to \(settings[PrintDockSettings.cloudURL]) as connector \(identity.connectorID), "
        + "printer \(identity.printerID)")
    try await reporter(identity).run()
  }

  package func runOnce() async throws {
    do {
      let identity = try await pairing.identity(keepsTrying: false)
      try await reporter(identity).runOnce()
    } catch let error as CloudError {
      throw BackendFailure(
        .retry(after: error.retryAfter), error.problem, remedy: error.remedy)
    }
  }

  private var pairing: Pairing {
    Pairing(settings: settings, client: client, context: context, standing: standing)
  }

  private func reporter(_ identity: Identity) -> Reporter {
    Reporter(
      identity: identity, client: client, context: context, standing: standing,
      startedAt: startedAt, heartbeatInterval: settings[PrintDockSettings.heartbeat],
      snapshotInterval: snapshotInterval(identity),
      hidesFilePath: settings[PrintDockSettings.hideFilePath])
  }

  /// The file's word, else PrintDock's at pairing, else the default.
  private func snapshotInterval(_ identity: Identity) -> Duration {
    let configured = settings[PrintDockSettings.pushSnapshots]
    guard settings.origin(of: PrintDockSettings.pushSnapshots) == .byDefault,
      let told = identity.snapshotsSeconds
    else { return configured }
    return .seconds(told)
  }
}
