internal import ConnectorKit
internal import HTTPServer
internal import JSON
internal import Moonraker
internal import Networking
internal import Platform

/// Looks at everything that the doctor judges, all of it at once; changes nothing, and makes no folder.
struct Examiner: Sendable {
  /// So long one look may take.
  static let patience = Duration.seconds(4)
  /// So long a harmless call to a cloud may take.
  static let probePatience = Duration.seconds(5)

  /// The same loader as `run`.
  let loader: ConfigurationLoader
  let time: any TimeSource
  /// Where processes are seen.
  var processes = "/proc"

  /// Looks, for the configuration file at `path`.
  func observe(_ path: String) async -> Observations {
    var loaded = loader.load(path)
    let pairings = loaded.configuration.map { StoredPairings.names(of: $0, loader.environment) }
    if let pairings, !pairings.isEmpty { loaded = loader.load(path, knownIdentities: pairings) }
    var seen = Observations(
      file: .init(path: path, findings: loaded.findings), wallTime: time.wallTime)
    seen.isClockSynchronized = HostInformation.isClockSynchronized
    guard var configuration = loaded.configuration else {
      seen.isUsable = false
      return seen
    }
    seen.moonrakerAddress = configuration.printer.address.display
    let folder = state(of: configuration, &seen)
    let overlay = folder.map(OverlayStore.peek) ?? ConfigurationOverlay()
    if overlay != ConfigurationOverlay(),
      let switched = loader.load(path, overlay: overlay).configuration
    {
      configuration = switched
    }
    let status = await daemon(folder, configuration, &seen)
    let network: Network
    do { network = try Network() } catch {
      seen.state = .unusable("the network cannot be started: \(error)")
      return seen
    }
    await look(configuration, loaded.fingerprint, folder, status, network, &seen)
    network.shutdown()
    return seen
  }

  // MARK: This host

  /// Looks at the state directory.
  ///
  /// - Returns: its path where it is there.
  private func state(of configuration: Configuration, _ seen: inout Observations) -> String? {
    do {
      let path = try StateDirectory.location(
        configured: configuration.stateDirectory, environment: loader.environment,
        configurationPath: configuration.path)
      try StateDirectory.refuseConfigurationFolder(path)
      guard let information = try Files.information(path) else {
        seen.state = .missing(path: path)
        return nil
      }
      guard information.kind == .folder else {
        seen.state = .unusable("\(path) is no folder")
        return nil
      }
      let isReadOnly = try Files.isOnReadOnlyFileSystem(path)
      guard isReadOnly || Files.isWritable(path) else {
        seen.state = .unusable("\(path) is not writable for this user")
        return nil
      }
      seen.state = .usable(
        path: path, free: try Files.freeSpace(at: path), isReadOnly: isReadOnly)
      return path
    } catch {
      seen.state = .unusable("\(error)")
      return nil
    }
  }

  /// Asks the daemon, where one runs.
  ///
  /// - Returns: what `/api/status` says.
  private func daemon(
    _ folder: String?, _ configuration: Configuration, _ seen: inout Observations
  ) async -> JSONValue? {
    guard let folder else { return nil }
    let socket = ControlSocket(environment: loader.environment, stateDirectory: folder)
    let client = DaemonClient(path: socket.clientPath, purpose: "", patience: 3)
    do throws(DaemonClient.Failure) {
      let answer = try await client.ask(.status)
      guard let body = DaemonClient.body(of: answer),
        let document = try? JSONValue(parsing: body, limits: JSONLimits(bytes: 1 << 20, depth: 16))
      else {
        seen.daemon = .unreachable(
          "the daemon's answer is not understood", remedy: Self.restart(configuration.path))
        return nil
      }
      seen.daemon = .running(
        version: document["program"]?["version"]?.string,
        journalProblem: document["commands"]?["journal_problem"]?.string,
        reloadProblem: document["program"]?["reload_problem"]?.string)
      return document
    } catch {
      seen.daemon =
        error.isAbsence
        ? .absent
        : .unreachable(
          error.problem,
          remedy: error.isSilence
            ? Self.restart(configuration.path)
            : "sudo \(Product.name) doctor -c \(configuration.path)")
      return nil
    }
  }

  /// How the daemon of the configuration file at `path` is started anew.
  static func restart(_ path: String) -> String {
    let instance = StateDirectory.instance(of: path).map { "@\($0)" } ?? ""
    return "sudo systemctl restart \(Product.name)\(instance)"
  }

  /// Everything that needs the network or a thread, at once.
  private func look(
    _ configuration: Configuration, _ fingerprint: String, _ folder: String?,
    _ status: JSONValue?, _ network: Network, _ seen: inout Observations
  ) async {
    let enabled = configuration.backends.filter(\.isEnabled)
    let outbound = enabled.filter { !$0.connector.descriptor.isInbound }
    let called = enabled.filter { $0.connector.descriptor.isInbound }
    async let moonraker = look(atMoonrakerOf: configuration, network)
    async let clouds = look(atCloudsOf: outbound, configuration, network)
    async let proxies = look(atProxiesOf: outbound, configuration, network)
    let own = folder.flatMap { InstanceLock.process(in: "\($0)/\(StateDirectory.lockFile)") }
    async let inbound = look(atInbound: called, status, own, network)
    async let agents = look(atAgentsOf: enabled)
    async let control = look(atPageOf: configuration, isRunning: status != nil, network)
    seen.hasRoute =
      HostInformation.localAddress(toReach: "192.0.2.1") != nil
      || HostInformation.localAddress(toReach: "2001:db8::1") != nil
    (seen.moonraker, seen.camera) = await moonraker
    seen.clouds = await clouds
    seen.proxies = await proxies
    seen.inbound = await inbound
    seen.agents = await agents
    seen.control = await control
    let accounts = await AccountExaminer(loader: loader, time: time).accounts(
      of: enabled, in: configuration, fingerprint: fingerprint, folder: folder, status: status,
      reached: Set(seen.clouds.filter { $0.isReached || $0.address == nil }.map(\.name)))
    for index in seen.clouds.indices {
      seen.clouds[index].account = accounts[seen.clouds[index].name] ?? .notCheckable
    }
  }

  private func look(atAgentsOf entries: [BackendConfiguration]) async -> [Observations.Agent] {
    entries.compactMap { entry in
      entry.connector.descriptor.originalAgent.map {
        Observations.Agent(
          backend: entry.name, agent: $0,
          processes: RunningProgram.processes(named: $0.program, in: processes))
      }
    }
  }

  private func look(
    atPageOf configuration: Configuration, isRunning: Bool, _ network: Network
  ) async -> (address: String, problem: String?)? {
    guard let listen = configuration.control.listen else { return nil }
    let host = listen.host.contains(":") ? "[\(listen.host)]" : listen.host
    let address = "\(host):\(listen.port)"
    let holder = PortHolder.of(port: listen.port).map { "\(address) is held by \($0)" }
    guard isRunning else { return (address, holder) }
    let local = ["0.0.0.0", "[::]"].contains(host) ? "127.0.0.1:\(listen.port)" : address
    let answer = try? await network.client().send(
      HTTPRequest("GET", "http://\(local)/api/status", timeout: .seconds(2)))
    let body = answer.flatMap {
      try? JSONValue(parsing: $0.body, limits: JSONLimits(bytes: 1 << 20, depth: 16))
    }
    let isOurs = body?["program"]?["name"]?.string == Product.name
    return (
      address, isOurs ? nil : holder ?? "nobody listens at \(address), though the daemon runs"
    )
  }

  // MARK: The printer

  private func look(
    atMoonrakerOf configuration: Configuration, _ network: Network
  ) async -> (Observations.Moonraker?, Observations.Camera?) {
    let direct = DirectMoonraker(
      settings: configuration.moonrakerSettings, network: network,
      networkSettings: configuration.network, time: time)
    let moonraker =
      await bounded(by: Self.patience, time: time, value: { await direct.look() })
      ?? .failed(.timeout, "\(configuration.printer.address.display): no answer in time")
    guard case .answered = moonraker else { return (moonraker, nil) }
    let webcams = HostWebcams(
      directory: MoonrakerWebcams(caller: direct, cache: StatusCache(time: time)),
      transport: network.client(settings: configuration.network),
      printerHost: configuration.printer.address.host, time: time)
    let camera: Observations.Camera? = await bounded(by: Self.patience, time: time) {
      do throws(WebcamFailure) {
        guard try await webcams.hasCamera() else { return Observations.Camera.none }
        let frame = try await webcams.frame(
          FrameWish(
            maximumAge: .zero, maximumBytes: 10 << 20, mustBeJPEG: false, patience: .seconds(3)))
        return .picture(bytes: frame.bytes.count, type: frame.contentType)
      } catch {
        return .failed(error)
      }
    }
    return (
      moonraker, camera ?? .failed(WebcamFailure(.unreachable, "the camera does not answer"))
    )
  }
}
