internal import ConnectorKit
internal import Glibc
internal import Moonraker
internal import Networking
internal import Platform

/// The parts of a daemon that has its configuration and its lock, and how they hang together.
///
/// Safe from any thread; ``reload()`` is called by one task.
final class RunningDaemon: Sendable {
  private struct State {
    var configuration: Configuration
    var reloadProblem: String?
    var waiting: WaitingChanges?
  }
  private struct Webcams {
    var host: String
    var network: NetworkSettings
    var service: HostWebcams
  }

  let options: RunOptions
  let loader: ConfigurationLoader
  let directory: StateDirectory
  let writer: LogWriter
  let log: Log
  let network: Network
  let cache: StatusCache
  let temperatures: TemperatureHistory
  let moonraker: MoonrakerRunner
  let services: CommandServices
  let confirmations = Confirmations()
  let remarks = BackendRemarks()
  let pages = BackendPages()
  let overlay: OverlayStore
  let secrets: SpentSecrets
  let widenings: UnseenWidenings
  let notifier: ServiceNotifier
  let time: any TimeSource
  let startedAt: MonotonicInstant
  private let state: Guarded<State>
  private let webcams = Guarded<Webcams?>(nil)
  /// Starts a backend that is parked; nil while nothing is supervised.
  private let starter = Guarded<(@Sendable (_ name: String) -> Void)?>(nil)

  init(
    options: RunOptions, loader: ConfigurationLoader, configuration: Configuration,
    fingerprint: String, directory: StateDirectory, writer: LogWriter, overlay: OverlayStore? = nil,
    time: any TimeSource
  ) throws(NetworkError) {
    self.options = options
    self.loader = loader
    self.directory = directory
    self.writer = writer
    self.time = time
    startedAt = time.now
    log = Log(label: "host", sink: writer)
    network = try Network()
    cache = StatusCache(time: time)
    temperatures = TemperatureHistory(of: cache, startedAt: startedAt)
    moonraker = MoonrakerRunner(
      cache: cache, network: network, time: time, log: Log(label: "moonraker", sink: writer))
    services = CommandServices(
      directory: directory, cache: cache, moonraker: moonraker, sink: writer, time: time)
    self.overlay = overlay ?? OverlayStore(directory: directory, log: log)
    secrets = SpentSecrets(
      remover: SpentSecretRemover(loader: loader, path: options.configurationPath),
      memory: RetiredSecrets(directory: directory, log: log), entered: self.overlay,
      fingerprint: fingerprint, log: log)
    widenings = UnseenWidenings(directory: directory, log: log)
    notifier = ServiceNotifier(environment: loader.environment, process: getpid(), time: time)
    state = Guarded(State(configuration: configuration, reloadProblem: nil))
  }

  /// The configuration that is in force.
  var configuration: Configuration { state.withLock { $0.configuration } }

  /// What the last reload said, where it failed.
  var reloadProblem: String? { state.withLock { $0.reloadProblem } }

  /// What waits for a person since the last reload.
  var waiting: WaitingChanges? { state.withLock { $0.waiting } }

  /// Where the command line finds this daemon.
  var controlSocket: ControlSocket {
    ControlSocket(environment: loader.environment, stateDirectory: directory.path)
  }

  /// What `configuration` gives every backend.
  func assembly(_ configuration: Configuration) -> BackendAssembly {
    BackendAssembly(
      network: network, networkSettings: configuration.network,
      printerName: configuration.printer.name,
      moonrakerAddress: configuration.printer.moonraker, cache: cache, state: directory,
      secrets: secrets, services: services, moonraker: moonraker, confirmations: confirmations,
      remarks: remarks, requiresClearBed: configuration.printer.requireClearBed,
      webcams: webcams(configuration),
      pages: pages, start: { [weak self] name in self?.starter.withLock { $0 }?(name) },
      sink: writer, time: time)
  }

  /// What the entry `name` tells its cloud and takes from it; nil: there is none.
  func explanation(of name: String) -> Explanation? {
    let configuration = configuration
    guard let entry = configuration.backends.first(where: { $0.name == name }) else { return nil }
    return Explanation(entry.connector.descriptor, entry, file: configuration.path)
  }

  /// Has `start` start a backend that is parked, when a person has acted on its page.
  func supervised(by start: @escaping @Sendable (_ name: String) -> Void) {
    starter.withLock { $0 = start }
  }

  /// The one webcam service of all backends; another one where the printer is on another host by now.
  private func webcams(_ configuration: Configuration) -> any WebcamService {
    let host = configuration.printer.address.host
    return webcams.withLock { kept in
      if let kept, kept.host == host, kept.network == configuration.network { return kept.service }
      let log = Log(label: "webcam", sink: writer)
      let service = HostWebcams(
        directory: MoonrakerWebcams(caller: moonraker, cache: cache),
        transport: LoggedTransport(
          base: network.client(settings: configuration.network), log: log, time: time),
        printerHost: host, time: time)
      kept = Webcams(host: host, network: configuration.network, service: service)
      return service
    }
  }

  /// Starts the link that `configuration` asks for.
  func startMoonraker(_ configuration: Configuration) async {
    await moonraker.start(
      configuration.moonrakerSettings, networkSettings: configuration.network,
      interest: configuration.interest)
  }

  /// Takes `configuration` as the one in force.
  func adopt(_ configuration: Configuration) {
    services.adopt(configuration)
    state.withLock { $0 = State(configuration: configuration, reloadProblem: nil) }
  }

  /// Keeps the configuration in force and remembers why the new one was refused.
  func refuse(_ problem: String) {
    state.withLock { state in
      state.reloadProblem = problem
      state.waiting = nil
    }
    log(.error, "the configuration was not reloaded; the former one goes on: \(problem)")
  }

  /// Keeps the configuration in force until a person accepts what the new file allows.
  ///
  /// - Parameters:
  ///   - changes: what that is, one at least.
  ///   - file: the digest of the file.
  func hold(_ changes: [String], file: String) {
    let more = changes.count > 1 ? " (and \(changes.count - 1) more)" : ""
    refuse(
      "control.pin_permissions: \(changes.first ?? "")\(more); it waits for '\(Product.name) reload' or a click on the page"
    )
    let waiting = WaitingChanges(file: file, changes: changes, since: time.wallTime)
    state.withLock { $0.waiting = waiting }
  }
}

extension Configuration {
  /// How the link reaches Moonraker.
  var moonrakerSettings: MoonrakerSettings {
    MoonrakerSettings(
      address: printer.address, httpAddress: printer.moonrakerHTTP, apiKey: printer.apiKey)
  }

  /// What all enabled backends read of the printer.
  var interest: StatusInterest {
    var interest = StatusInterest()
    for entry in backends where entry.isEnabled {
      interest.formUnion(entry.connector.descriptor.reads)
    }
    return interest
  }

  /// How the log is to be written.
  ///
  /// - Parameter override: the level of the command line; it wins over every level of the file.
  func logSettings(override: LogLevel?) -> LogWriter.Settings {
    var levels: [String: LogLevel] = [:]
    if override == nil {
      for entry in backends { levels[entry.name] = entry.logLevel }
    }
    return LogWriter.Settings(
      level: override ?? log.level, levels: levels, file: log.file,
      maximumBytes: max(0, min(log.maximumSizeMB, 1 << 20)) << 20,
      backups: log.backups)
  }
}
