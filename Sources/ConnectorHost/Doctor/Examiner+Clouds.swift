internal import ConnectorKit
internal import HTTPServer
internal import JSON
internal import Networking
internal import Platform

extension Examiner {
  /// Asks each cloud's own address; any answer will do.
  func look(
    atCloudsOf entries: [BackendConfiguration], _ configuration: Configuration, _ network: Network
  ) async -> [Observations.Cloud] {
    await withTaskGroup(of: (Int, Observations.Cloud).self) { group in
      for (index, entry) in entries.enumerated() {
        group.addTask { (index, await look(atCloudOf: entry, configuration.network, network)) }
      }
      var found: [(Int, Observations.Cloud)] = []
      for await one in group { found.append(one) }
      return found.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private func look(
    atCloudOf entry: BackendConfiguration, _ settings: NetworkSettings, _ network: Network
  ) async -> Observations.Cloud {
    let deadline = time.now.advanced(by: Self.patience)
    let (setting, text) = Self.address(of: entry)
    var cloud = Observations.Cloud(
      name: entry.name, setting: setting, lookup: .notNeeded, account: .notCheckable)
    guard let text, let address = URLParts(text) else { return cloud }
    cloud.address = address
    cloud.proxy = ProxyChoice.proxy(for: address, settings)
    if cloud.proxy == nil, IPAddress(literal: address.host) == nil, !address.isLoopback {
      cloud.lookup = await lookup(address.host)
      // Whatever comes now only says the same once more.
      guard cloud.lookup == .found else { return cloud }
    }
    let client = network.client(settings: settings)
    cloud.answer = await Self.ask(
      client, "\(address.isSecure ? "https" : "http")://\(Self.authority(address))/", time,
      patience: min(.seconds(3), time.now.duration(to: deadline)))
    if address.isSecure, let failure = cloud.failure, failure.kind != .timeout {
      var plain = address
      plain.port = 80
      cloud.plainAnswer = try? await Self.ask(
        client, "http://\(Self.authority(plain))/", time,
        patience: min(.seconds(2), max(.milliseconds(500), time.now.duration(to: deadline)))
      ).get()
    }
    return cloud
  }

  private func lookup(_ host: String) async -> Observations.Lookup {
    let outcome = await bounded(by: .milliseconds(2500), time: time) {
      try await offload { NameLookup.addresses(of: host) }
    }
    return switch outcome {
    case .found: .found
    case .unknownName: .unknownName
    case .noAnswer(let reason): .noAnswer(reason)
    case nil: .noAnswer("no answer in time")
    }
  }

  /// The setting that holds the address of an entry's cloud, and the address; nil where there is none.
  static func address(of entry: BackendConfiguration) -> (setting: String, text: String?) {
    let declaration = entry.connector.descriptor.settings.first {
      if case .url = $0.kind { $0.tls != .local } else { false }
    }
    guard let declaration else { return ("its address", nil) }
    guard let value = entry.settings.entries[declaration.key],
      case .string(let text) = value.value
    else { return (declaration.key, declaration.defaultText) }
    return ("\(declaration.key) (\(value.origin))", text)
  }

  private static func authority(_ address: URLParts) -> String {
    let host = address.host.contains(":") ? "[\(address.host)]" : address.host
    return "\(host):\(address.port)"
  }

  /// One question; any status is an answer.
  static func ask(
    _ client: any HTTPTransport, _ url: String, _ time: any TimeSource,
    patience: Duration = .seconds(3)
  ) async -> Result<Observations.Answer, NetworkError> {
    let request = HTTPRequest(
      "GET", url, timeout: patience, connectTimeout: patience, answerLimit: 4 << 20)
    do throws(NetworkError) {
      let response = try await client.send(request)
      let now = time.wallTime
      let date = response[field: "Date"].flatMap { WallTime(httpDate: $0) }
      return .success(
        .init(
          status: response.status,
          isPage: response[field: "Content-Type"]?.hasPrefix("text/html") == true,
          location: response[field: "Location"],
          clock: date.map { ($0, now) }))
    } catch {
      return .failure(error)
    }
  }

  /// Whether the proxies answer that the clouds are reached through.
  func look(
    atProxiesOf entries: [BackendConfiguration], _ configuration: Configuration,
    _ network: Network
  ) async -> [(url: String, failure: NetworkError?)] {
    let used = entries.compactMap { entry in
      Self.address(of: entry).text.flatMap(URLParts.init).flatMap {
        ProxyChoice.proxy(for: $0, configuration.network)
      }
    }
    var found: [(url: String, failure: NetworkError?)] = []
    let direct = network.client(settings: NetworkSettings(proxy: ""))
    for url in Set(used).sorted() {
      let rest = url.firstRange(ofText: "://").map { url[$0.upperBound...] } ?? url[...]
      let place = rest.lastIndex(of: "@").map { rest[rest.index(after: $0)...] } ?? rest
      let answer = await Self.ask(direct, "http://\(place)", time)
      guard case .failure(let error) = answer,
        [.connect, .nameLookup, .timeout, .badURL].contains(error.kind),
        !error.requestMayHaveArrived
      else {
        // Whatever it says to a question that is none for a proxy: it is there.
        found.append((url, nil))
        continue
      }
      found.append((url, error))
    }
    return found
  }

  /// Backends that others call: their ports, and how the running daemon sees them.
  func look(
    atInbound entries: [BackendConfiguration], _ status: JSONValue?, _ own: Int32?,
    _ network: Network
  ) async -> [Observations.Inbound] {
    var found: [Observations.Inbound] = []
    for entry in entries {
      let descriptor = entry.connector.descriptor
      let account =
        status.map { AccountExaminer.account(of: entry.name, in: $0) }
        ?? .notAsked("the daemon does not run")
      var inbound = Observations.Inbound(name: entry.name, account: account)
      inbound.port = Self.port(of: entry)
      inbound.holder = inbound.port.flatMap(PortHolder.of)
      if status != nil, !account.isWithoutService || inbound.holder?.process == own {
        inbound.holder = nil
      }
      if status != nil, let url = descriptor.calledAt(entry.settings) {
        inbound.called = (
          url,
          await Self.ask(network.client(settings: NetworkSettings(proxy: "")), url, time)
        )
      }
      if descriptor.isFoundByMDNS(entry.settings) {
        inbound.responder = Self.responder
      }
      found.append(inbound)
    }
    return found
  }

  private static var responder: Observations.Responder {
    func listens(_ socket: String) -> Bool {
      ["/run", "/var/run"].contains { LocalStream.isListening(at: "\($0)/\(socket)") }
    }
    if listens("avahi-daemon/socket") {
      return listens("dbus/system_bus_socket") ? .runs : .busDoesNotRun
    }
    return .doesNotRun
  }

  /// The port of the setting `listen`.
  private static func port(of entry: BackendConfiguration) -> Int? {
    let declaration = entry.connector.descriptor.settings.first { $0.key == "listen" }
    guard let declaration else { return nil }
    var text = declaration.defaultText
    if case .string(let written)? = entry.settings.entries["listen"]?.value { text = written }
    return text?.split(separator: ":").last.flatMap { Int($0) }
  }
}
