package import ConnectorKit
internal import Platform

/// Connects a printer to PrintDock: pairing, heartbeats, snapshots, commands, pictures. The wire:
/// `docs/connectors/printdock.md`.
package struct PrintDockBackend: ConnectorBackend {
  package static let descriptor = ConnectorDescriptor(
    type: "printdock", title: "PrintDock",
    summary: "Shows the printer in PrintDock, and lets PrintDock control it within `permissions`.",
    settings: PrintDockSettings.all, reads: SnapshotEncoder.interest,
    commands: CommandTask.declared, sends: sent, traffic: traffic,
    minimalExample: """
      type: printdock
      pairing_token: PAIR_0123456789
      """,
    environment: [EnvironmentRule("CLOUD_URL", setting: "cloud_url", .overridesFile)],
    refusedKeys: PrintDockSettings.refused, originalAgent: agent,
    pairingKey: PrintDockSettings.pairingToken.declaration.key,
    intention: { intention($0) })

  /// The service's own connector.
  static let agent = ServiceAgent(
    program: "printer-connector",
    stopAdvice: "sudo systemctl disable --now printer-connector "
      + "(on a K1: its script in /etc/init.d)")

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
    let parts = Parts(self, identity)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await parts.reporter.run() }
      group.addTask { try await parts.commands.run() }
      group.addTask { try await parts.delivery.run() }
      group.addTask { try await parts.webcam.run() }
      try await group.waitForAll()
    }
  }

  package func runOnce() async throws {
    do {
      let parts = Parts(self, try await pairing.identity(keepsTrying: false))
      try await parts.reporter.awaitPrinter()
      try await parts.reporter.sendHeartbeat()
      try await parts.commands.runOnce()
      try await parts.delivery.runOnce()
      try await parts.reporter.showOnce()
      try await parts.webcam.runOnce()
    } catch let error as CloudError {
      throw BackendFailure(
        .retry(after: error.retryAfter), error.problem, remedy: error.remedy)
    }
  }

  /// Asks for the open requests for pictures: the one call that changes nothing at PrintDock. A heartbeat would say that
  /// the printer is there, and commands are handed out once.
  package static func probe(
    settings: Settings, context: BackendContext
  ) async throws -> ProbeReport? {
    let stored = try await context.identity.load().flatMap { Identity(stored: $0) }
    guard case .use(let identity, _) = PairingDecision(settings: settings, stored: stored) else {
      return ProbeReport(summary: "not paired with PrintDock yet", isHealthy: false)
    }
    let client = CloudClient(
      url: settings[PrintDockSettings.cloudURL], http: context.http, time: context.time)
    do {
      _ = try await client.webcamRequests(as: identity)
      return ProbeReport(
        summary: "PrintDock answers, and knows connector \(identity.connectorID)", isHealthy: true)
    } catch let error as CloudError {
      return ProbeReport(summary: "\(error.problem); \(error.remedy)", isHealthy: false)
    }
  }

  private var pairing: Pairing {
    Pairing(settings: settings, client: client, context: context, standing: standing)
  }
}

extension PrintDockBackend {
  /// What works for a paired connector.
  private struct Parts {
    let reporter: Reporter
    let commands: CommandLoop
    let delivery: CompletionDelivery
    let webcam: WebcamLoop

    init(_ backend: PrintDockBackend, _ identity: Identity) {
      let (settings, context) = (backend.settings, backend.context)
      let session = Session(
        identity: identity, client: backend.client, context: context, standing: backend.standing)
      let desk = SnapshotDesk(
        session: session,
        interval: Self.interval(
          settings, PrintDockSettings.pushSnapshots, told: identity.snapshotsSeconds),
        hidesFilePath: settings[PrintDockSettings.hideFilePath])
      let due = DueSnapshots()
      reporter = Reporter(
        session: session, desk: desk, startedAt: backend.startedAt,
        heartbeatInterval: settings[PrintDockSettings.heartbeat])
      commands = CommandLoop(
        session: session,
        interval: Self.interval(
          settings, PrintDockSettings.pollCommands, told: identity.commandsSeconds),
        answerLimit: settings[PrintDockSettings.maximumAnswer] << 20,
        runner: CommandRunner(
          session: session, due: due, cloudURL: settings[PrintDockSettings.cloudURL],
          printerDataRoot: settings[PrintDockSettings.printerDataRoot],
          backupConfFiles: settings[PrintDockSettings.backupConfFiles]))
      delivery = CompletionDelivery(session: session, desk: desk, due: due)
      webcam = WebcamLoop(
        session: session, interval: settings[PrintDockSettings.webcamPoll],
        isWanted: settings.origin(of: PrintDockSettings.webcamPoll) != .byDefault,
        uiPort: settings[PrintDockSettings.uiPort])
    }

    /// The file's word, else PrintDock's at pairing, else the default.
    private static func interval(
      _ settings: Settings, _ setting: Setting<Duration>, told: Int64?
    ) -> Duration {
      guard settings.origin(of: setting) == .byDefault, let told else { return settings[setting] }
      return .seconds(told)
    }
  }
}
