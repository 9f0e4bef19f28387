internal import ConnectorKit
internal import Cryptography
internal import Glibc
internal import HTTPServer
internal import Moonraker
internal import Networking
internal import Platform

/// The parts of a daemon that has its configuration and its lock, and how they hang together.
///
/// Safe from any thread; ``reload()`` is called by one task.
final class RunningDaemon: Sendable {
  private struct State {
    var configuration: Configuration
    var trust: Trust
    var text: [UInt8]
    var reloadProblem: String?
    var waiting: WaitingChanges?
  }
  private struct Webcams {
    var host: String
    var network: NetworkSettings
    var service: HostWebcams
  }

  let options: RunOptions
  /// The configuration file's absolute path.
  let configurationFile: String
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
  let accepted: AcceptedStore
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
    accepted: AcceptedStore? = nil, trust: Trust? = nil, text: [UInt8] = [],
    time: any TimeSource
  ) throws(NetworkError) {
    self.options = options
    let path = options.configurationPath
    configurationFile = path.hasPrefix("/") ? path : "\(Files.realPath(".") ?? "")/\(path)"
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
    self.accepted = accepted ?? AcceptedStore(directory: directory, log: log)
    widenings = UnseenWidenings(directory: directory, log: log)
    notifier = ServiceNotifier(environment: loader.environment, process: getpid(), time: time)
    state = Guarded(
      State(configuration: configuration, trust: trust ?? Trust(configuration), text: text))
    secrets.edited { [weak self] in self?.tookOut() }
  }

  /// The configuration that is in force.
  var configuration: Configuration { state.withLock { $0.configuration } }

  /// What that configuration trusts.
  var trust: Trust { state.withLock { $0.trust } }

  /// The file's bytes that are in force; empty where there are none that could be loaded again.
  var text: [UInt8] { state.withLock { $0.text } }

  /// What the last reload said, where it failed.
  var reloadProblem: String? { state.withLock { $0.reloadProblem } }

  /// What the file would allow and waits for a person.
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

  /// Takes the file `text` as the one in force.
  func adopt(_ configuration: Configuration, _ trust: Trust, text: [UInt8]) {
    services.adopt(configuration)
    state.withLock { $0 = State(configuration: configuration, trust: trust, text: text) }
  }

  /// Takes what a person has changed beside the file; the file in force stays the same, and what is wrong with the one on
  /// the disk as well.
  func adopt(_ configuration: Configuration, _ trust: Trust) {
    services.adopt(configuration)
    state.withLock { ($0.configuration, $0.trust) = (configuration, trust) }
  }

  /// Holds back what `widenings` are: they wait for a person. Said once, until it is something else.
  ///
  /// - Parameters:
  ///   - widenings: one at least.
  ///   - file: the digest of the file that has them.
  func hold(_ widenings: [Widening], file: String) {
    let texts = widenings.map(\.text)
    let former = waiting
    let isNew = former?.changes != texts
    let more = texts.count > 1 ? " (and \(texts.count - 1) more)" : ""
    refuse(
      "control.pin_permissions: \(texts.first ?? "")\(more); it waits for '\(Product.name) reload' or a click on the page",
      waiting: WaitingChanges(
        file: file, changes: texts, since: (isNew ? nil : former?.since) ?? time.wallTime))
    guard isNew else { return }
    for text in texts { services.note("\(text); it waits for a person's reload", as: "waiting") }
  }

  /// Keeps what is accepted now over a restart. Blocks.
  func accept(_ configuration: Configuration, _ trust: Trust, text: [UInt8]) {
    accepted.keep(trust, text: text)
    let path = options.configurationPath
    let environment = DaemonRights.environment(of: path, loader)
    do {
      let place = try StateDirectory.wished(
        configured: configuration.stateDirectory, environment: environment,
        configurationPath: path)
      try PinnedPlaces.note(
        trust.pinsPermissions ? place : nil, of: ConfigurationFile.identity(of: path),
        in: try StateDirectory.usual(environment: environment, configurationPath: path),
        configurationPath: path)
    } catch {
      log(.warning, "\(error); another state_directory would get around control.pin_permissions")
    }
  }

  /// An edit of ours has taken a spent secret out of the file that is in force. Blocks.
  private func tookOut() {
    guard let text = try? Files.read(options.configurationPath, limit: 1 << 20),
      Digest.sha256Hex(text) == secrets.fingerprint
    else { return }
    let trust = state.withLock { state in
      state.text = text
      return state.trust
    }
    accepted.keep(trust, text: text)
  }

  /// Keeps the configuration in force and remembers why the new one was refused.
  ///
  /// - Parameter waiting: what waits for a person, where it is not wrong in itself.
  func refuse(_ problem: String, waiting: WaitingChanges? = nil) {
    state.withLock { state in
      state.reloadProblem = problem
      state.waiting = waiting
    }
    log(.error, "the configuration was not reloaded; the former one goes on: \(problem)")
  }
}

extension Configuration.ControlSection {
  /// The page's address, as far as anybody can say it: Moonraker's other clients may offer it as a link.
  fileprivate var pageURL: String {
    guard var address = listen, address.port != 0 else { return "" }
    if address.host == "0.0.0.0" || address.host == "::" { address.host = HostInformation.hostName }
    return "http://\(address)"
  }
}

extension Configuration {
  /// How the link reaches Moonraker.
  var moonrakerSettings: MoonrakerSettings {
    MoonrakerSettings(
      address: printer.address, httpAddress: printer.moonrakerHTTP, apiKey: printer.apiKey,
      agentName: agentName, pageURL: control.pageURL)
  }

  /// Whether Moonraker is reached as with `other`. The page's address is told with the next connection: none is given up for it.
  func reachesMoonraker(as other: Configuration) -> Bool {
    var (settings, others) = (moonrakerSettings, other.moonrakerSettings)
    settings.pageURL = ""
    others.pageURL = ""
    return settings == others
  }

  /// Our name at Moonraker: an instance adds its own, as names must differ where two daemons serve one printer.
  private var agentName: String {
    StateDirectory.instance(of: path).map { "\(Product.name)-\($0)" } ?? Product.name
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
