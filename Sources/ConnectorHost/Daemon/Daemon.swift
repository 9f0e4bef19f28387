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
  private let loader: ConfigurationLoader

  /// A daemon with these connectors; nothing is started.
  package init(
    options: RunOptions, registry: [any ConnectorBackend.Type], environment: [String: String]
  ) {
    self.options = options
    loader = ConfigurationLoader(registry: registry, environment: environment)
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

  /// The configuration with what persons have set beside the file.
  private func with(
    _ overlay: OverlayStore, _ configuration: Configuration, _ log: Log
  ) -> Configuration {
    guard overlay.current != ConfigurationOverlay() else { return configuration }
    let loaded = loader.load(options.configurationPath, overlay: overlay.current)
    if let configuration = loaded.configuration { return configuration }
    let error = loaded.findings.first { $0.finding.severity == .error }
    log(
      .error,
      "what was switched on by a person cannot be, so all are as the file says: \(error?.description ?? "")"
    )
    var kept = overlay.current
    kept.switches = [:]
    try? overlay.keep(kept)
    return configuration
  }

  /// Runs until SIGTERM or SIGINT (or one round with `once`).
  ///
  /// - Returns: the exit status: 0, 1 (failed) or 78 (configuration).
  package func run() async -> Int32 {
    // From here on: a request to end must not be lost between two steps of the start.
    let signals = options.once ? nil : SignalWatch()
    let loaded = loader.load(options.configurationPath)
    guard var configuration = loaded.configuration else {
      for found in loaded.findings { Console.complain("\(found)") }
      return Self.badConfiguration
    }
    let directory: StateDirectory
    let lock: InstanceLock
    do {
      let path = try StateDirectory.location(
        configured: configuration.stateDirectory, environment: loader.environment,
        configurationPath: options.configurationPath)
      directory = try StateDirectory(
        opening: path, configurationPath: options.configurationPath)
      lock = try directory.lock()
    } catch {
      Console.complain("\(Product.name): \(error)")
      return error.isConfiguration ? Self.badConfiguration : 1
    }
    defer { withExtendedLifetime(lock) {} }
    let writer = LogWriter(
      settings: configuration.logSettings(override: options.logLevel), time: SystemTime.shared)
    defer { writer.flush(within: .milliseconds(300)) }
    let log = Log(label: "host", sink: writer)
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
    let overlay = OverlayStore(directory: directory, log: log)
    configuration = with(overlay, configuration, log)
    let parts: RunningDaemon
    do {
      parts = try RunningDaemon(
        options: options, loader: loader, configuration: configuration,
        fingerprint: loaded.fingerprint, directory: directory, writer: writer,
        overlay: overlay, time: SystemTime.shared)
    } catch {
      log(.critical, "the network cannot be started: \(error)")
      return 1
    }
    guard let signals else { return await OnceRound(parts: parts).run() }
    await ServingDaemon(parts, signals: signals).serve()
    return 0
  }
}
