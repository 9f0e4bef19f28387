internal import ConnectorKit
internal import HTTPServer
internal import JSON
internal import Moonraker
internal import Networking
internal import Platform

/// Looks at everything that the doctor judges, all of it at once; changes nothing, and makes no folder.
struct Examiner: Sendable {
  /// So long one look may take.
  static let patience = Duration.milliseconds(3500)
  /// So long all of it may take.
  static let wholePatience = Duration.milliseconds(4600)
  /// So long the harmless calls to the clouds may take at least.
  static let probePatience = Duration.seconds(1)

  /// The same loader as `run`.
  let loader: ConfigurationLoader
  let time: any TimeSource
  /// Where processes are seen.
  var processes = "/proc"

  /// Looks, for the configuration file at `path`.
  func observe(_ path: String) async -> Observations {
    let deadline = time.now.advanced(by: Self.wholePatience)
    let (loaded, overlaid) = load(path)
    var seen = Observations(
      file: .init(path: path, findings: loaded.findings), wallTime: time.wallTime)
    seen.isClockSynchronized = HostInformation.isClockSynchronized
    guard var configuration = loaded.configuration else {
      seen.isUsable = false
      return seen
    }
    seen.moonrakerAddress = configuration.printer.address.display
    let folder = state(of: configuration, &seen)
    if let overlaid { configuration = overlaid }
    let status = await daemon(folder, configuration, &seen)
    let network: Network
    do { network = try Network() } catch {
      seen.state = .unusable("the network cannot be started: \(error)")
      return seen
    }
    await look(configuration, loaded.fingerprint, folder, status, network, deadline, &seen)
    network.shutdown()
    return seen
  }

  /// Reads the file.
  ///
  /// - Returns: the file; and the configuration with what was switched and entered beside it, where there is such.
  private func load(_ path: String) -> (LoadedConfiguration, Configuration?) {
    var loaded = loader.load(path)
    guard let configuration = loaded.configuration else { return (loaded, nil) }
    let pairings = StoredPairings.names(of: configuration, loader.environment)
    if !pairings.isEmpty { loaded = loader.load(path, knownIdentities: pairings) }
    let folder = try? StateDirectory.location(
      configured: configuration.stateDirectory, environment: loader.environment,
      configurationPath: path)
    let overlay = folder.map(OverlayStore.peek) ?? ConfigurationOverlay()
    guard overlay != ConfigurationOverlay() else { return (loaded, nil) }
    return (loaded, loader.load(path, overlay: overlay).configuration)
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
      seen.hasNoInodes = Files.hasNoInodes(at: path)
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
    guard let folder else {
      if case .unusable = seen.state { seen.daemon = .unknown }
      return nil
    }
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
      if let other = Self.otherFile(in: document, than: configuration.path) {
        seen.daemon = .unreachable(
          "the daemon that uses \(folder) runs with another file: \(other)",
          remedy:
            "\(Product.name) doctor -c \(other); or give this file a state_directory of its own")
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

  /// The file that the daemon of this `/api/status` runs with, where that is not the one at `path`.
  private static func otherFile(in document: JSONValue, than path: String) -> String? {
    guard let theirs = document["program"]?["configuration"]?.string, theirs.hasPrefix("/"),
      theirs != path, Files.realPath(theirs) != Files.realPath(path)
    else { return nil }
    return theirs
  }

  /// How the daemon of the configuration file at `path` is started anew.
  static func restart(_ path: String) -> String {
    let instance = StateDirectory.instance(of: path).map { "@\($0)" } ?? ""
    return "sudo systemctl restart \(Product.name)\(instance)"
  }

  /// Everything that needs the network or a thread, at once.
  private func look(
    _ configuration: Configuration, _ fingerprint: String, _ folder: String?,
    _ status: JSONValue?, _ network: Network, _ deadline: MonotonicInstant,
    _ seen: inout Observations
  ) async {
    let enabled = configuration.backends.filter(\.isEnabled)
    let outbound = enabled.filter { !$0.connector.descriptor.isInbound }
    let called = enabled.filter { $0.connector.descriptor.isInbound }
    async let moonraker = look(atMoonrakerOf: configuration, network)
    async let clouds = look(atCloudsOf: outbound, configuration, network)
    async let proxies = look(atProxiesOf: outbound, configuration, network)
    let own = folder.flatMap { InstanceLock.process(in: "\($0)/daemon.lock") }
    async let inbound = look(atInbound: called, status, own, network)
    async let agents = look(atAgentsOf: enabled)
    async let control = look(atPageOf: configuration, status, network)
    seen.hasRoute =
      HostInformation.localAddress(toReach: "192.0.2.1") != nil
      || HostInformation.localAddress(toReach: "2001:db8::1") != nil
    (seen.moonraker, seen.camera) = await moonraker
    seen.clouds = await clouds
    seen.proxies = await proxies
    seen.inbound = await inbound
    seen.agents = await agents
    let page = await control
    seen.control = page.map { ($0.address, $0.problem) }
    if let file = page?.daemonsFile, case .absent = seen.daemon {
      seen.daemon = .unreachable(
        "a daemon runs here with \(file), and its state folder is not \(folder ?? "there")",
        remedy: "sudo \(Product.name) doctor -c \(file)")
    }
    let left = max(Self.probePatience, time.now.duration(to: deadline))
    let accounts = await AccountExaminer(loader: loader, time: time, patience: left).accounts(
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

  /// What stands at the control server's address.
  private struct Page {
    var address: String
    /// Who holds it in place of our daemon; nil: all is well.
    var problem: String?
    /// The file of a daemon that answers there though its socket does not.
    var daemonsFile: String?
  }

  private func look(
    atPageOf configuration: Configuration, _ status: JSONValue?, _ network: Network
  ) async -> Page? {
    guard let listen = configuration.control.listen else { return nil }
    let host = listen.host.contains(":") ? "[\(listen.host)]" : listen.host
    let address = "\(host):\(listen.port)"
    let holder = PortHolder.of(port: listen.port)
    if status == nil, holder == nil { return Page(address: address) }
    let local = ["0.0.0.0", "[::]"].contains(host) ? "127.0.0.1:\(listen.port)" : address
    // Never through a proxy: that one knows another loopback.
    let answer = try? await network.client(settings: NetworkSettings(proxy: "")).send(
      HTTPRequest("GET", "http://\(local)/api/status", timeout: .seconds(2)))
    let body = answer.flatMap {
      try? JSONValue(parsing: $0.body, limits: JSONLimits(bytes: 1 << 20, depth: 16))
    }
    let isOurs = body?["program"]?["name"]?.string == Product.name
    if isOurs {
      let file = body?["program"]?["configuration"]?.string
      return Page(address: address, daemonsFile: status == nil ? file : nil)
    }
    let problem = holder.map { "\(address) is held by \($0)" }
    return Page(
      address: address, problem: problem ?? "nobody listens at \(address), though the daemon runs")
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
