import ConnectorKit
import JSON
import Networking
import TestSupport

@testable import ReachRelay

extension TestBench {
  /// A bench with the relay on the far side, and the longest waits.
  static func reach(
    status: PrinterStatus = .ready("standby"), identity: JSONObject? = nil,
    _ script: @escaping ScriptedTransport.Script
  ) -> TestBench {
    let bench = TestBench(identity: identity, random: { 1 }, script)
    bench.printer.update { $0 = status }
    bench.printer.thaw()
    return bench
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
