import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import ReachRelay

extension TestBench {
  /// A bench with the relay on the far side, and the longest waits.
  ///
  /// - Parameter takesPulls: whether the script answers pulls; else they are held for ever.
  static func reach(
    status: PrinterStatus = .ready("standby"), identity: JSONObject? = nil,
    takesPulls: Bool = false, _ script: @escaping ScriptedTransport.Script
  ) -> TestBench {
    let bench = TestBench(identity: identity, random: { 1 }, script)
    if !takesPulls { bench.transport.setAside { $0.path == RelayEndpoint.pull.path } }
    bench.printer.update { $0 = status }
    bench.printer.thaw()
    return bench
  }

  /// The next moment that the session waits for. Who waits for results sleeps for a day at a time, which is none.
  func nextDeadline() async -> MonotonicInstant {
    let limit = time.now.advanced(by: .seconds(43_200))
    await until { time.deadlines.contains { $0 < limit } }
    return time.deadlines.first ?? time.now
  }

  /// A backend with these settings beside the relay's address.
  func backend(_ values: [String: SettingValue]) async throws -> ReachRelayBackend {
    var all: [String: SettingValue] = [
      "relay": .string("https://relay.example.com"), "printer_ip": .string("192.0.2.10"),
    ]
    all.merge(values) { $1 }
    return try await ReachRelayBackend(settings: .written(all), context: context("reach"))
  }
}

extension HTTPResponse {
  /// A 200 with this body.
  static func ok(_ body: JSONObject = ["success": true]) -> HTTPResponse {
    HTTPResponse(status: 200, body: JSONValue.object(body).serialized())
  }
}
