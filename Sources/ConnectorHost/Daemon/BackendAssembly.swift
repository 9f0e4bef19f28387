internal import ConnectorKit
internal import Moonraker
internal import Networking
internal import Platform

/// What every backend of one configuration is made with.
struct BackendAssembly: Sendable {
  let network: Network
  let networkSettings: NetworkSettings
  let printerName: String
  let moonrakerAddress: String
  let cache: StatusCache
  let state: StateDirectory
  let secrets: SpentSecrets
  let services: CommandServices
  let moonraker: MoonrakerRunner
  let confirmations: Confirmations
  let remarks: BackendRemarks
  let requiresClearBed: Bool
  let webcams: any WebcamService
  let pages: BackendPages
  /// Starts a backend that is parked.
  let start: @Sendable (_ name: String) -> Void
  let sink: any LogSink
  let time: any TimeSource

  /// The context of one entry's backend; each has an HTTP client of its own.
  func context(
    for entry: BackendConfiguration, report: @escaping @Sendable (BackendHealth) -> Void
  ) -> BackendContext {
    let log = Log(label: entry.name, sink: sink)
    confirmations.forget(entry.name)
    remarks.forget(entry.name)
    let http = LoggedTransport(
      base: network.client(settings: networkSettings), log: log, time: time)
    return BackendContext(
      name: entry.name, printerName: printerName, moonrakerAddress: moonrakerAddress,
      status: cache,
      http: http,
      pinnedHTTP: { [network, networkSettings, time] key in
        LoggedTransport(
          base: network.client(settings: networkSettings, pinnedPublicKey: key), log: log,
          time: time)
      },
      webSockets: LoggedWebSockets(
        base: network.webSockets(settings: networkSettings), log: log, time: time),
      identity: FileIdentityStore(directory: state, name: entry.name),
      commands: services.entrance(of: entry, requiresClearBed: requiresClearBed),
      outbox: services.deliveries.outbox(of: entry.name),
      transfers: services.transfers(over: http),
      files: PermittedFiles(
        moonraker: moonraker, isPermitted: entry.permissions.contains(.filesList)),
      webcams: PermittedWebcams(
        service: webcams, isPermitted: entry.permissions.contains(.camera)),
      pages: EntryPages(name: entry.name, pages: pages, start: start),
      listener: HostListener(),
      advertiser: HostAdvertiser(directory: state, name: entry.name, time: time),
      isBedClear: { [services] in services.gate.isBedClear },
      time: time, log: log,
      random: { Double.random(in: 0..<1) }, report: report,
      confirm: { [confirmations, time] duration in
        confirmations.note(entry.name, at: time.now, for: duration)
      },
      note: { [remarks] line in remarks.note(entry.name, line) },
      stateFiles: BackendFiles(directory: state, name: entry.name),
      queueTransition: { [moonraker] () async throws(CommandFailure) in
        guard let files = moonraker.files else {
          throw CommandFailure(.notConnected, "Moonraker is not connected: \(moonraker.condition)")
        }
        return try await files.queueTransition()
      },
      retireSecret: { [secrets] key in await secrets.retire(key, of: entry) })
  }

  /// Makes and runs the entry's backend.
  func body(for entry: BackendConfiguration) -> BackendSupervisor.Body {
    { report in
      let backend = try await entry.connector.init(
        settings: entry.settings, context: context(for: entry, report: report))
      try await backend.run()
    }
  }

  /// Makes the entry's backend and lets it do one full round.
  func round(of entry: BackendConfiguration) async throws {
    let backend = try await entry.connector.init(
      settings: entry.settings, context: context(for: entry, report: { _ in }))
    try await backend.runOnce()
  }
}
