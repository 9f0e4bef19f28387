package import ConnectorKit
internal import Platform

/// What `printer-uplink run` was asked to do.
package struct RunOptions: Sendable {
  /// The configuration file.
  package var configurationPath: String
  /// One full round of every enabled backend, then the end.
  package var once: Bool
  /// A log level that wins over the file's.
  package var logLevel: LogLevel?
  /// Options of a run.
  package init(configurationPath: String, once: Bool = false, logLevel: LogLevel? = nil) {
    self.configurationPath = configurationPath
    self.once = once
    self.logLevel = logLevel
  }
}

/// The running daemon: one printer, one status cache, all backends under supervision.
package struct Daemon: Sendable {
  /// The exit status of a bad configuration (`EX_CONFIG`).
  private static let badConfiguration: Int32 = 78

  private let options: RunOptions
  private var loader: ConfigurationLoader

  /// A daemon with these connectors; nothing is started.
  package init(
    options: RunOptions, registry: [any ConnectorBackend.Type], environment: [String: String]
  ) {
    self.options = options
    var loader = ConfigurationLoader(registry: registry, environment: environment)
    // The service manager has given the daemon its variables; for one round from a shell nobody has.
    loader.readsEnvironmentFiles = options.once
    self.loader = loader
  }

  /// The file's findings, with a pairing that a rename has left behind.
  private func findings(
    _ loaded: LoadedConfiguration, _ configuration: Configuration, _ directory: StateDirectory
  ) -> [LocatedFinding] {
    let names = FileIdentityStore.names(inStateDirectory: directory.path)
    guard !Set(names).isSubset(of: configuration.backends.map(\.name)) else {
      return loaded.findings
    }
    return loader.load(options.configurationPath, knownIdentities: names).findings
  }

  /// Runs until SIGTERM or SIGINT (or one round with `once`).
  ///
  /// - Returns: the exit status: 0, 1 (failed) or 78 (configuration).
  package func run() async -> Int32 {
    guard ProcessFolder.showsThisProcess() else {
      Console.complain(
        "\(Product.name): /proc does not show this process, and without that it would crash; mount a /proc of its own (unshare --mount-proc, or mount -t proc proc /proc)"
      )
      return 1
    }
    guard options.once else { return await run(loader) }
    do {
      let rights = try DaemonRights(for: options.configurationPath, loader: loader, .acting)
      defer { rights.giveBack() }
      return await run(rights.loader)
    } catch {
      Console.complain("\(Product.name): \(error)")
      return 1
    }
  }

  /// Loads the file; where it alone will not do, with what persons have set beside it: a code that was entered, or an entry
  /// that was switched off because it cannot be.
  private func load(_ loader: ConfigurationLoader) -> LoadedConfiguration {
    let path = options.configurationPath
    let plain = loader.load(path)
    var placing = loader
    placing.environment = DaemonRights.environment(of: path, loader)
    guard plain.configuration == nil, !plain.text.isEmpty,
      let folder = try? StatePlace.of(path, loader: placing)
    else { return plain }
    let overlay = OverlayStore.peek(folder)
    let whole = loader.load(plain.text, from: path, overlay: overlay) { _ in true }.loaded
    return whole.configuration == nil ? plain : whole
  }

  private func run(_ loader: ConfigurationLoader) async -> Int32 {
    // From here on: a request to end must not be lost between two steps of the start.
    let signals = options.once ? nil : SignalWatch()
    let loaded = load(loader)
    guard let configuration = loaded.configuration else {
      for found in loaded.findings { Console.complain("\(found)") }
      return Self.badConfiguration
    }
    let directory: StateDirectory
    let lock: InstanceLock
    do {
      let path = try StateDirectory.location(
        configured: configuration.stateDirectory,
        environment: DaemonRights.environment(of: options.configurationPath, loader),
        configurationPath: options.configurationPath)
      directory = try StateDirectory(
        opening: path, configurationPath: options.configurationPath)
      lock = try directory.lock()
    } catch {
      Console.complain("\(Product.name): \(error)")
      return error.isConfiguration ? Self.badConfiguration : 1
    }
    defer { withExtendedLifetime(lock) {} }
    var settings = configuration.logSettings(override: options.logLevel)
    // Which file counts is known below: one that waits for a person must not name what is written to.
    settings.file = nil
    let writer = LogWriter(settings: settings, time: SystemTime.shared)
    defer { writer.flush(within: .milliseconds(300)) }
    let log = Log(label: "host", sink: writer)
    let overlay = OverlayStore(directory: directory, log: log)
    let accepted = AcceptedStore(directory: directory, log: log)
    let start = StartingConfiguration(
      loaded, configuration, former: accepted.accepted, overlay: overlay.current, loader: loader,
      log: log)
    writer.configure(start.configuration.logSettings(override: options.logLevel))
    for found in findings(loaded, configuration, directory) where found.finding.severity != .note {
      log(.warning, "\(found)")
    }
    log(
      .info,
      "\(Product.name) \(Product.version), \(configuration.path), state in \(directory.path)")
    if directory.isReadOnly {
      log(
        .error,
        "\(directory.path) cannot be written: its disk is read-only; reporting goes on, and of the commands only reading, pause, cancel and emergency stop"
      )
    }
    let parts: RunningDaemon
    do {
      parts = try RunningDaemon(
        options: options, loader: loader, configuration: start.configuration,
        fingerprint: start.fingerprint, directory: directory, writer: writer,
        overlay: overlay, accepted: accepted, trust: start.trust, text: start.text,
        time: SystemTime.shared)
    } catch {
      log(.critical, "the network cannot be started: \(error)")
      return 1
    }
    if !start.waiting.isEmpty { parts.hold(start.waiting, file: loaded.fingerprint) }
    guard let signals else { return await OnceRound(parts: parts).run() }
    await parts.began(with: start)
    await ServingDaemon(parts, signals: signals).serve()
    return 0
  }
}
