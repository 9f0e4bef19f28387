import ConnectorKit
import Foundation
import JSON
import TestSupport
import Testing

/// Settings and recorded traffic for these tests.
enum PrintDockFixture {
  /// Settings as the loader would decode them.
  static func settings(
    token: String? = nil, id: String? = nil, secret: String? = nil, printer: Int? = nil,
    extra: [String: SettingValue] = [:]
  ) -> Settings {
    var values = extra
    values["pairing_token"] = token.map { .secret(Secret($0)) }
    values["connector_id"] = id.map { .string($0) }
    values["connector_secret"] = secret.map { .secret(Secret($0)) }
    values["printer_id"] = printer.map { .integer($0) }
    return .written(values)
  }

  /// The recorded exchanges of one kind, oldest first.
  static func exchanges(_ name: String) throws -> [JSONValue] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/transcripts/printdock.jsonl")
    let text = try String(contentsOf: file, encoding: .utf8)
    let all = try text.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
    let chosen = all.filter { $0["name"]?.string == name }
    try #require(!chosen.isEmpty)
    return chosen
  }
}
