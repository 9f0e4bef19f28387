import BuiltinConnectors
import ConnectorHost
import ConnectorKit
import Foundation
import Networking
import Platform
import TestSupport
import Testing

/// A connector under test. All of the registry are, and nobody has to remember to add one.
struct Specimen: Sendable, CustomTestStringConvertible {
  static let all = builtinConnectors.map(Specimen.init)
  let connector: any ConnectorBackend.Type
  var descriptor: ConnectorDescriptor { connector.descriptor }
  var testDescription: String { descriptor.type }

  /// Loads a file with one entry of the minimal example per name.
  func load(names: [String], in folder: String) throws -> LoadedConfiguration {
    let example = descriptor.minimalExample.split(separator: "\n").map { "    \($0)" }
    let entries = names.map { name in
      "  -\n\(example.joined(separator: "\n"))\n    name: \(name)\n"
    }
    let path = folder + "/printer-uplink.yaml"
    let text = "version: 1\nprinter:\n  name: Voron\nbackends:\n" + entries.joined()
    try Files.replace(path, with: Array(text.utf8))
    return ConfigurationLoader(registry: builtinConnectors, environment: [:]).load(path)
  }

  /// The minimal example's settings with every URL on `origin` and every secret a canary.
  func settings(origin: String, in folder: String) throws -> Settings {
    let loaded = try load(names: ["a"], in: folder)
    let configuration = try #require(loaded.configuration, "\(loaded.findings)")
    var settings = try #require(configuration.backends.first).settings
    for declaration in descriptor.settings {
      let value: SettingValue
      if case .url = declaration.kind {
        value = .string(origin)
      } else if declaration.isSecret, settings.entries[declaration.key] != nil {
        value = .secret(Secret(Self.canary))
      } else {
        continue
      }
      settings.entries[declaration.key] = Settings.Entry(
        value: value, origin: .file(line: 1, column: 1, isLiteral: true))
    }
    return settings
  }

  /// What must never show.
  static let canary = "CANARY7F3A"
}

/// How a far side behaves that means no good.
enum FarSide: String, Sendable, CaseIterable, CustomTestStringConvertible {
  case dead, silent, garbage, captivePortal, flood, refusing, failing, redirecting, empty
  var testDescription: String { rawValue }

  /// Whether its answers have a status of success and a body that says nothing.
  var isMeaningless: Bool { self == .garbage || self == .flood || self == .empty }
}

/// A transport to such a far side; counts what goes out and what is still under way.
final class HostileTransport: HTTPTransport {
  private struct State {
    var urls: [String] = []
    var underWay = 0
  }
  private let state = Guarded(State())
  private let farSide: FarSide

  init(_ farSide: FarSide) { self.farSide = farSide }

  var urls: [String] { state.withLock { $0.urls } }
  var underWay: Int { state.withLock { $0.underWay } }

  func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
    let count = state.withLock { state in
      state.urls.append(request.url)
      state.underWay += 1
      return state.urls.count
    }
    defer { state.withLock { $0.underWay -= 1 } }
    switch farSide {
    case .dead: throw NetworkError(.connect, "connection refused")
    case .silent:
      return try await ScriptedTransport.silence()
    case .garbage:
      return HTTPResponse(status: 200, body: (0..<4_096).map { UInt8(truncatingIfNeeded: $0 * 7) })
    case .captivePortal:
      return HTTPResponse(
        status: 200, fields: [HTTPField("Content-Type", "text/html")],
        body: Array("<html><body>Please log in</body></html>".utf8))
    case .flood:
      let item = "[" + String(repeating: "{\"id\":1},", count: 100_000) + "{}]"
      return HTTPResponse(status: 200, body: Array(item.utf8))
    case .refusing: return HTTPResponse(status: 401, body: Array("{\"error\":\"no\"}".utf8))
    case .failing:
      return count.isMultiple(of: 2)
        ? HTTPResponse(status: 500)
        : HTTPResponse(status: 429, fields: [HTTPField("Retry-After", "x")])
    case .redirecting:
      return HTTPResponse(status: 302, fields: [HTTPField("Location", "http://evil.test/")])
    case .empty: return HTTPResponse(status: 204)
    }
  }
}

/// All that one backend of a specimen stands on.
struct Habitat: Sendable {
  let time: ManualTime
  let sink = RecordingSink()
  let identity: MemoryIdentityStore
  let printer: StandInPrinter
  let transport: any HTTPTransport
  let name: String

  init(
    name: String = "a", transport: any HTTPTransport, time: ManualTime = ManualTime(),
    identity: MemoryIdentityStore = MemoryIdentityStore()
  ) {
    self.name = name
    self.identity = identity
    self.time = time
    self.transport = transport
    printer = StandInPrinter(time: time)
    printer.come(printState: "printing")
  }

  func context(
    report: @escaping @Sendable (BackendHealth) -> Void = { _ in }
  ) -> BackendContext {
    let outbox = MemoryOutbox(time: time)
    return BackendContext(
      name: name, printerName: "Voron", moonrakerAddress: "http://127.0.0.1:7125",
      status: printer, http: transport,
      pinnedHTTP: { [transport] _ in transport },
      webSockets: WebSocketsOver(transport: transport), identity: identity,
      commands: ScriptedGateway(time: time, outbox: outbox), outbox: outbox,
      transfers: ScriptedTransfers(), webcams: ScriptedWebcams(time: time),
      listener: LoopbackListener(), advertiser: ScriptedAdvertiser(), time: time,
      log: Log(label: name, sink: sink), random: { 0.5 }, report: report, retireSecret: { _ in })
  }

  /// A supervisor that makes and runs the specimen's backend here.
  func supervisor(_ specimen: Specimen, _ settings: Settings) -> BackendSupervisor {
    BackendSupervisor(time: time, log: Log(label: name, sink: sink), random: { 0.5 }) { report in
      let backend = try await specimen.connector.init(
        settings: settings, context: context(report: report))
      try await backend.run()
    }
  }
}

/// A folder that is removed afterwards.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
    .appendingPathComponent("uplink-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try await body(folder)
}

/// Lets everything that can run do so, then moves the clock to what is due next; `steps` times at most.
func live(_ time: ManualTime, steps: Int) async {
  for _ in 0..<steps {
    for _ in 0..<200 { await Task.yield() }
    guard let next = time.deadlines.first else { continue }
    time.advance(to: next)
  }
}

/// Returns when `supervisor`, which was told to end, is gone: with no more time on the clock than there is for what
/// must be finished (a pairing under way).
func untilGone(
  _ supervisor: BackendSupervisor, _ time: ManualTime,
  sourceLocation: SourceLocation = #_sourceLocation
) async {
  let limit = time.now.advanced(by: BackendContext.finishingTime)
  await until(
    {
      if let next = time.deadlines.first, next <= limit { time.advance(to: next) }
      return supervisor.isGone
    }, sourceLocation: sourceLocation)
}

/// WebSockets to the same far side: what is no agreement is a refusal, a body is said again and again until it ends.
struct WebSocketsOver: WebSocketTransport {
  let transport: any HTTPTransport

  func open(_ request: WebSocketRequest) async throws(NetworkError) -> any MessageConnection {
    let url = "http" + request.url.dropFirst("ws".count)
    let answer = try await transport.send(
      HTTPRequest("GET", url, fields: request.fields, timeout: request.timeout))
    guard answer.isSuccess, !answer.body.isEmpty else {
      throw NetworkError(
        .protocolViolation, "refused with status \(answer.status)", httpStatus: answer.status,
        retryAfter: answer[field: "Retry-After"])
    }
    let socket = ScriptedWebSocket()
    for _ in 0..<3 { socket.say(String(decoding: answer.body, as: UTF8.self)) }
    socket.drop()
    return socket
  }
}
