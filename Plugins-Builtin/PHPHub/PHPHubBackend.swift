package import ConnectorKit
internal import Networking
internal import Platform

/// Connects a printer to a PHP hub, of either generation. The wire: `docs/connectors/php-hub.md`.
package struct PHPHubBackend: ConnectorBackend {
  private let settings: Settings
  private let configuration: HubConfiguration
  private let context: BackendContext
  private let startedAt: MonotonicInstant

  /// Reads the settings; touches nothing else.
  package init(settings: Settings, context: BackendContext) async throws {
    self.settings = settings
    configuration = try HubConfiguration(settings, printerName: context.printerName)
    self.context = context
    startedAt = context.time.now
  }

  /// Finds out what hub it is, then sends updates and fetches commands until cancelled.
  package func run() async throws {
    let client = client
    let address = try await found(by: Detection(settings, client: client))
    let parts = await Parts(self, client, address)
    context.log(.info, "reporting to \(address.update.withoutQuery) (\(address.generation))")
    do {
      try await withThrowingDiscardingTaskGroup { group in
        group.addTask { try await parts.session.run() }
        group.addTask { try await parts.commands.run() }
        group.addTask { try await parts.runner.run() }
        group.addTask { try await parts.session.results.run() }
        group.addTask { try await parts.shelf.run() }
        group.addTask { try await parts.statistics.run() }
        group.addTask { try await parts.cleanUp.run() }
        group.addTask { try await parts.rememberLastCompleted() }
        if let camera = parts.camera { group.addTask { try await camera.run() } }
      }
    } catch {
      await parts.statistics.save()
      throw error
    }
  }

  /// Asks until the hub answers as one.
  private func found(by detection: Detection) async throws -> HubAddress {
    var failures = 0
    while true {
      do {
        return try await detection.address()
      } catch let failure as BackendFailure {
        failures = min(failures + 1, 1_000)
        context.report(.degraded(problem: failure.problem, remedy: failure.remedy))
        if failures.nonzeroBitCount == 1 { context.log(.warning, failure.description) }
        try await context.time.sleep(
          for: configuration.backoff.wait(afterFailure: failures, random: context.random()))
      }
    }
  }

  /// Finds out what hub it is, sends one update and one picture, and fetches and executes commands once.
  package func runOnce() async throws {
    let client = client
    let address = try await Detection(settings, client: client).address()
    let parts = await Parts(self, client, address)
    await parts.shelf.readOnce()
    try await parts.session.runOnce()
    await parts.runner.runOnce()
    await parts.camera?.runOnce()
    await parts.session.results.runOnce()
    try await parts.session.update()
    await parts.memory.save()
    await parts.statistics.save()
    context.report(.online)
  }

  /// Asks the hub for nothing, which it refuses: the calls that know this printer would take commands out of its queue.
  package static func probe(
    settings: Settings, context: BackendContext
  ) async throws -> ProbeReport? {
    do {
      let backend = try await PHPHubBackend(settings: settings, context: context)
      let detection = Detection(settings, client: backend.client)
      let address = try await detection.address()
      let answer = try await backend.client.look(address.update).answer
      let host = URLParts(address.update)?.host ?? "the hub"
      guard case .refused = answer else {
        let problem = answer.problem(host: host) ?? "\(host) answers otherwise than a hub does"
        return ProbeReport(summary: problem, isHealthy: false)
      }
      return ProbeReport(
        summary:
          "\(host) answers as a hub of generation \(address.generation); whether it takes the token, only an update shows",
        isHealthy: true)
    } catch let failure as BackendFailure {
      return ProbeReport(summary: failure.description, isHealthy: false)
    }
  }

  private var client: HubClient {
    HubClient(token: configuration.token, timeout: configuration.serverTimeout, context: context)
  }
}

extension PHPHubBackend {
  /// What works at a known hub.
  private struct Parts: Sendable {
    let session: SessionLoop
    let commands: CommandDesk
    let runner: CommandRunner
    let shelf: PrinterShelf
    let statistics: StatisticsKeeper
    let memory: HubMemory
    let cleanUp: CleanUp
    let camera: CameraLoop?
    private let completions: Nudge
    private let time: any TimeSource

    init(_ backend: PHPHubBackend, _ client: HubClient, _ address: HubAddress) async {
      let (configuration, context) = (backend.configuration, backend.context)
      let memory = HubMemory(files: context.stateFiles, log: context.log)
      await memory.load()
      let statistics = StatisticsKeeper(context: context, path: configuration.statisticsFile)
      await statistics.load()
      let completions = Nudge()
      let shelf = PrinterShelf(
        context: context, lastCompleted: memory.contents.lastCompleted,
        onChange: { completions.send() })
      let origins = DownloadOrigins(
        servers: [address.update, address.files], listed: configuration.files.allowedHosts)
      let urgency = Urgency(time: context.time, memory: memory)
      let printing = PrintRunner(
        context: context, client: client, address: address, rules: configuration.files,
        origins: origins,
        fetch: FileFetch(
          context: context, rules: configuration.files, origins: origins,
          stallTimeout: configuration.downloadTimeout, maxAttempts: configuration.maxAttempts,
          backoff: configuration.backoff), shelf: shelf, memory: memory, statistics: statistics)
      let runner = CommandRunner(
        context: context, rules: configuration.orders, printing: printing,
        statistics: statistics, memory: memory, tellNow: { await urgency.tell($0) })
      let commands = CommandDesk(
        context: context, memory: memory, runner: runner, distance: configuration.rateLimit)
      let picture = PictureDesk(isKept: address.generation == .v2)
      session = SessionLoop(
        client: client, address: address, configuration: configuration, context: context,
        updates: UpdateDesk(
          context: context, configuration: configuration, generation: address.generation,
          startedAt: backend.startedAt, shelf: shelf, picture: picture, memory: memory),
        commands: commands,
        results: ResultDelivery(
          context: context, memory: memory, statistics: statistics,
          isWanted: configuration.reportsResults), statistics: statistics, memory: memory,
        urgency: urgency)
      camera = await Self.camera(configuration, client, address, context, picture, memory)
      cleanUp = CleanUp(context: context, rules: configuration.files, memory: memory)
      self.commands = commands
      self.runner = runner
      self.shelf = shelf
      self.statistics = statistics
      self.memory = memory
      self.completions = completions
      time = context.time
    }

    private static func camera(
      _ configuration: HubConfiguration, _ client: HubClient, _ address: HubAddress,
      _ context: BackendContext, _ picture: PictureDesk, _ memory: HubMemory
    ) async -> CameraLoop? {
      guard let rules = configuration.camera else { return nil }
      var timelapse: Timelapse?
      if rules.timelapseInterval != nil {
        let gcodes = configuration.files.gcodeDirectory
        let folder = try? await offload {
          Timelapse.folder(rules, gcodes: gcodes, home: Environment.variables["HOME"])
        }
        if let folder = folder ?? nil {
          timelapse = Timelapse(folder: folder, context: context, memory: memory)
          context.log(.info, "timelapse: pictures of prints are kept in \(folder)")
          context.note("pictures of prints are kept in \(folder)")
        } else {
          context.log(
            .info, "timelapse: no printer_data was found here; set camera.timelapse_directory")
        }
      }
      return CameraLoop(
        context: context, client: client, address: address, rules: rules,
        timeout: configuration.cameraTimeout, publicURL: configuration.imagePublicURL,
        desk: picture, timelapse: timelapse)
    }

    /// Keeps the last completed print for the next life, until cancelled.
    func rememberLastCompleted() async throws {
      let waiter = completions.waiter(time)
      while true {
        try await waiter.wait(until: time.now.advanced(by: .seconds(86_400)))
        let job = shelf.contents.lastCompleted
        let isNew = memory.change { contents in
          defer { contents.lastCompleted = job }
          return contents.lastCompleted != job
        }
        if isNew { await memory.save() }
      }
    }
  }
}

extension String {
  /// An address without what may hold a secret.
  var withoutQuery: String { URLParts(self).map { $0.origin + $0.path } ?? self }
}
