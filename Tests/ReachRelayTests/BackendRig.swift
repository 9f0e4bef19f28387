import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport

@testable import ReachRelay

/// An identity store in memory that can fail.
final class MemoryIdentity: IdentityStore {
  struct State {
    var identity: JSONObject?
    var saves: [JSONObject] = []
  }
  let state: Guarded<State>
  init(_ identity: JSONObject? = nil) { state = Guarded(State(identity: identity)) }

  func load() async throws -> JSONObject? { state.withLock { $0.identity } }
  func save(_ identity: JSONObject) async throws {
    state.withLock {
      $0.identity = identity
      $0.saves.append(identity)
    }
  }
  func remove() async throws { state.withLock { $0.identity = nil } }
}

/// Keeps every line.
final class LineSink: LogSink {
  let lines = Guarded<[String]>([])
  func accepts(_ level: LogLevel, label: String) -> Bool { true }
  func write(_ level: LogLevel, label: String, message: String) {
    lines.withLock { $0.append(message) }
  }
}

/// A backend with everything around it scripted.
struct BackendRig {
  let relay: ScriptedRelay
  let printer: FakePrinter
  let identity: MemoryIdentity
  let time = ManualTime()
  let sink = LineSink()
  let healths = Guarded<[BackendHealth]>([])
  let retired = Guarded<[String]>([])

  init(
    _ relay: ScriptedRelay, status: PrinterStatus = .ready("standby"), identity: JSONObject? = nil
  ) {
    self.relay = relay
    printer = FakePrinter(status)
    self.identity = MemoryIdentity(identity)
  }

  /// The context of the backend.
  var context: BackendContext {
    BackendContext(
      name: "reach", printerName: "Voron", moonrakerAddress: "http://127.0.0.1:7125",
      status: printer, http: relay, pinnedHTTP: { [relay] _ in relay }, identity: identity,
      time: time, log: Log(label: "reach", sink: sink), random: { 1 },
      report: { [healths] health in healths.withLock { $0.append(health) } },
      retireSecret: { [retired] key in retired.withLock { $0.append(key) } })
  }

  /// A backend with these settings beside the relay's address.
  func backend(_ values: [String: SettingValue]) async throws -> ReachRelayBackend {
    var all: [String: SettingValue] = [
      "relay": .string("https://relay.example.com"), "printer_ip": .string("192.0.2.10"),
    ]
    all.merge(values) { $1 }
    return try await ReachRelayBackend(
      settings: ReachRelaySettingsTests.settings(all), context: context)
  }
}
