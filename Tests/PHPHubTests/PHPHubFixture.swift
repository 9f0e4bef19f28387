import ConnectorKit
import Foundation
import JSON
import Platform
import TestSupport

@testable import PHPHub

extension PrinterStatus {
  /// A printer that is there, in this print state.
  static func sample(
    _ state: String = "standby", klippy: KlippyState = .ready, isConnected: Bool = true,
    _ change: (inout PrinterStatus) -> Void = { _ in }
  ) -> PrinterStatus {
    let now = MonotonicInstant(sinceOrigin: .seconds(1_000))
    var status = PrinterStatus(
      startedAt: now, wallTime: WallTime(millisecondsSinceEpoch: 1_795_162_973_000))
    status.klippy = klippy
    guard isConnected else { return status }
    status.link = .connected
    status.isCurrent = klippy == .ready
    status.objects = [
      "print_stats": [
        "state": .string(state), "filename": "parts/cube.gcode", "print_duration": 600,
      ],
      "virtual_sdcard": ["progress": 0.25], "display_status": ["progress": 0.259],
      "extruder": ["temperature": 204.96, "target": 205],
      "heater_bed": ["temperature": 60.04, "target": 60], "fan": ["speed": 0.502],
      "gcode_move": ["speed_factor": 1.15], "webhooks": ["state": "ready"],
    ]
    change(&status)
    return status
  }
}

/// Settings of an entry, with a token.
func settings(_ more: [String: SettingValue] = [:]) -> Settings {
  .written(
    [
      "printer_token": .secret(Secret("TOK_DUMMY_1")),
      "server_url": .string("http://hub.test/printerhub/api.php"),
    ].merging(more) { $1 })
}

func configuration(_ more: [String: SettingValue] = [:]) throws -> HubConfiguration {
  try HubConfiguration(settings(more), printerName: "Rig Uno")
}

func instant(_ seconds: Double) -> MonotonicInstant {
  MonotonicInstant(sinceOrigin: .milliseconds(Int64(seconds * 1_000)))
}

extension JSONValue {
  /// Parses a text that is JSON.
  static func of(_ text: String) -> JSONValue {
    (try? JSONValue(parsing: Array(text.utf8))) ?? .null
  }
}

/// The recorded traffic of the original client and the original hub.
enum Transcript {
  static func exchanges() throws -> [JSONValue] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/transcripts/php-hub.jsonl")
    return try [UInt8](try Data(contentsOf: file)).split(separator: 0x0A)
      .map { try JSONValue(parsing: Array($0)) }
  }

  /// The bodies of the updates that the original sent.
  static func updates() throws -> [JSONObject] {
    try exchanges().compactMap { exchange in
      guard exchange["who"] == "client 4.0.0", let body = exchange["json"]?.object,
        body["action"] == "update_printer"
      else {
        return nil
      }
      return body
    }
  }
}
