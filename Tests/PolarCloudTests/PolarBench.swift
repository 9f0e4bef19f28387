import ConnectorKit
import Cryptography
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PolarCloud

/// A bench with a cloud that the test plays.
struct PolarBench: Sendable {
  /// Made once for all tests: it takes a moment.
  static let key = (try? RSAKey())?.privatePEM ?? ""
  static let registered: JSONObject = [
    "private_key": .string(key), "mac": "02:FC:00:00:00:01", "serial_number": "KL000001",
  ]
  static let unregistered: JSONObject = [
    "private_key": .string(key), "mac": "02:FC:00:00:00:01",
  ]

  let bench: TestBench
  let settings: [String: SettingValue]

  /// - Parameter identity: what is stored at the start.
  init(
    identity: JSONObject = registered, settings: [String: SettingValue] = [:],
    _ script: @escaping ScriptedTransport.Script = { _, _ in HTTPResponse(status: 204) }
  ) {
    bench = TestBench(identity: identity, script)
    self.settings = settings.merging([
      "username": .string("maker@example.test"), "pin": .secret(Secret("1234")),
    ]) { mine, _ in mine }
  }

  /// The backend, with what `change` gives it.
  func backend(_ change: (inout BackendContext) -> Void = { _ in }) async throws
    -> PolarCloudBackend
  {
    var context = bench.context()
    change(&context)
    return try await PolarCloudBackend(settings: .written(settings), context: context)
  }

  /// Runs the backend while `body` plays with it; nothing may be left behind.
  func run(
    with change: (inout BackendContext) -> Void = { _ in }, _ body: () async throws -> Void
  ) async throws {
    try await bench.run(try await backend(change), body)
  }

  /// Runs the backend until it ends by itself.
  func failure(_ body: @escaping @Sendable () async throws -> Void) async throws -> BackendFailure {
    let backend = try await backend()
    let task = Task(executorPreference: bench.executor) { try await backend.run() }
    defer { task.cancel() }
    try await body()
    let failure = await #expect(throws: BackendFailure.self) { try await task.value }
    return try #require(failure)
  }

  /// The cloud of the `number`-th connection, which has let the printer in and said its challenge.
  func cloud(_ number: Int = 1, challenge: String = "c0ffee") async throws -> PaperCloud {
    let socket = try await bench.webSockets.socket(number)
    try await socket.letIn()
    socket.sayEvent("welcome", #"{"challenge":"\#(challenge)"}"#)
    return PaperCloud(socket: socket, bench: bench)
  }

  /// The same, and the greeting has been accepted.
  func greetedCloud(_ number: Int = 1) async throws -> PaperCloud {
    let cloud = try await cloud(number)
    _ = try await cloud.event("hello")
    cloud.say("helloResponse", #"{"serialNumber":"KL000001","status":"SUCCESS"}"#)
    _ = try await cloud.event("status")
    return cloud
  }

  /// What comes so soon behind a greeting counts as late: this much later it does not.
  func settle() async {
    await bench.executor.idle()
    bench.time.advance(by: .seconds(6))
    await bench.executor.idle()
  }
}

/// The cloud's end of one connection.
struct PaperCloud: Sendable {
  let socket: ScriptedWebSocket
  let bench: TestBench

  /// Says an event with one argument.
  func say(_ name: String, _ argument: String = "{}") { socket.sayEvent(name, argument) }

  /// What the printer has sent, in order.
  var events: [(name: String, body: JSONObject)] {
    socket.sent.compactMap { text in
      guard text.hasPrefix("42"),
        let array = (try? JSONValue(parsing: Array(text.dropFirst(2).utf8)))?.array,
        array.count == 2, let name = array[0].string, let body = array[1].object
      else { return nil }
      return (name, body)
    }
  }

  /// The bodies of the events of this name.
  func bodies(_ name: String) -> [JSONObject] { events.filter { $0.name == name }.map(\.body) }

  /// Waits for the `number`-th event of this name.
  func event(
    _ name: String, _ number: Int = 1, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> JSONObject {
    await until({ bodies(name).count >= number }, sourceLocation: sourceLocation)
    let found = bodies(name)
    try #require(found.count >= number, "\(name): \(socket.sent)", sourceLocation: sourceLocation)
    return found[number - 1]
  }

  /// Waits for a status of this code that came last.
  func status(
    _ code: Int64, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> JSONObject {
    await until(
      { bodies("status").last?["status"]?.integer == code }, sourceLocation: sourceLocation)
    return try #require(bodies("status").last, sourceLocation: sourceLocation)
  }
}
