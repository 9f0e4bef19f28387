import BuiltinConnectors
import ConnectorKit
import Foundation
import JSON
import Platform
import Testing

@testable import ConnectorHost

/// The G-code filter against a long list of scripts, the same for every connector: `Tests/Fixtures/gcode/corpus.jsonl`.
///
/// Each line is a verdict and a script: `allow` at the default level, `full` not before that level (or by name), `never`.
@Suite("Gate: G-code corpus") struct GateCorpusTests {
  struct Line: Sendable {
    var verdict: String
    var script: String
  }

  static let lines: [Line] = {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/gcode/corpus.jsonl")
    guard let bytes = try? Data(contentsOf: file) else { return [] }
    return [UInt8](bytes).split(separator: 0x0A).compactMap { line in
      guard let pair = (try? JSONValue(parsing: Array(line)))?.array, pair.count == 2,
        let verdict = pair[0].string, let script = pair[1].string
      else { return nil }
      return Line(verdict: verdict, script: script)
    }
  }()

  private static let status = PrinterStatus(
    startedAt: MonotonicInstant(sinceOrigin: .zero), wallTime: WallTime(millisecondsSinceEpoch: 0))

  private static func allows(_ script: String, _ policy: CommandPolicy) -> Bool {
    do throws(CommandFailure) {
      try policy.check(try CommandReading(.gcode(script)), status)
      return true
    } catch {
      return false
    }
  }

  /// The entry of a connector, as the loader makes it.
  private static func policy(
    _ connector: any ConnectorBackend.Type, _ permissions: String, _ more: String = ""
  ) throws -> CommandPolicy {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("uplink-corpus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("printer-uplink.yaml")
    let example = connector.descriptor.minimalExample.split(separator: "\n").map { "    \($0)\n" }
    let text =
      "version: 1\nbackends:\n  -\n\(example.joined())    permissions: \(permissions)\n\(more)"
    try text.write(to: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
    let loaded = ConfigurationLoader(registry: builtinConnectors, environment: [:]).load(file.path)
    let entry = try #require(loaded.configuration?.backends.first, "\(loaded.findings)")
    return CommandPolicy(entry, requiresClearBed: false)
  }

  @Test("The corpus is long, and each verdict is in it often")
  func size() {
    #expect(Self.lines.count >= 300)
    for verdict in ["allow", "full", "never"] {
      #expect(Self.lines.filter { $0.verdict == verdict }.count >= 60)
    }
  }

  @Test(
    "Every line has its verdict, for every connector",
    arguments: builtinConnectors.map { $0.descriptor.type })
  func verdicts(type: String) throws {
    let connector = try #require(builtinConnectors.first { $0.descriptor.type == type })
    let usual = try Self.policy(connector, "print")
    let full = try Self.policy(
      connector, "full",
      "    allowed_gcode_patterns: [\"*\"]\n    allowed_macros: [RESTART, SAVE_CONFIG]\n")
    for line in Self.lines {
      #expect(
        Self.allows(line.script, usual) == (line.verdict == "allow"),
        "\(type) print: \(line.script.debugDescription)")
      #expect(
        Self.allows(line.script, full) == (line.verdict != "never"),
        "\(type) full: \(line.script.debugDescription)")
    }
  }

  @Test("What a word hides behind changes nothing: numbers, checksums, comments, blanks and case")
  func disguises() throws {
    let policy = CommandPolicy(
      permissions: PermissionLevel.full.permissions, gcodePatterns: ["*"])
    let disguises: [(String) -> String] = [
      { "N10 \($0)*33" }, { "  \($0)" }, { "\($0);ok" }, { "\($0) ; ok" }, { $0.lowercased() },
      { "M105\n\($0)" }, { "\($0)\nM105" }, { ";x\n\($0)" }, { "\t\($0)" }, { "n1\($0)" },
      { "M105\r\n\($0)\r\n" },
    ]
    for word in [
      "M112", "M999", "M502", "RESTART", "FIRMWARE_RESTART", "SAVE_CONFIG",
      "SDCARD_PRINT_FILE FILENAME=a",
    ] {
      for disguise in disguises {
        let script = disguise(word)
        #expect(!Self.allows(script, policy), "\(script.debugDescription)")
      }
    }
  }

  @Test(
    "Patterns that are written for a PHP hub stand for the usual ones, and widen at level full only"
  )
  func narrowing() throws {
    let hub = try #require(builtinConnectors.first { $0.descriptor.type == "php-hub" })
    let patterns = "    security:\n      allowed_gcode_patterns: [\"G28\", \"SET_*\"]\n"
    let narrow = try Self.policy(hub, "print", patterns)
    #expect(Self.allows("G28", narrow) && Self.allows("g28 x", narrow))
    #expect(!Self.allows("G1 X1", narrow) && !Self.allows("M105", narrow))
    #expect(!Self.allows("SET_LED LED=a", narrow))
    let wide = try Self.policy(hub, "full", patterns)
    #expect(Self.allows("SET_LED LED=a", wide) && !Self.allows("M105", wide))
    let none = try Self.policy(hub, "print", "    allowed_gcode_patterns: []\n")
    #expect(!Self.allows("G28", none) && !Self.allows("M105", none))
    let named = try Self.policy(
      hub, "print", "    allowed_gcode_patterns: []\n    allowed_macros: [PARK]\n")
    #expect(Self.allows("PARK", named))
    #expect(
      !Self.allows("M112", try Self.policy(hub, "full", "    allowed_gcode_patterns: [M112]\n")))
  }
}
