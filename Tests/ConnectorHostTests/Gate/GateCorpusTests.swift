import ConnectorKit
import Foundation
import Platform
import Testing

@testable import ConnectorHost

@Suite("Gate: G-code corpus") struct GateCorpusTests {
  /// One script of `Tests/Fixtures/gcode/corpus.json`, which the tests of every connector send too.
  struct Sample: Decodable, Sendable, CustomTestStringConvertible {
    var verdict: String
    var kind: String
    var gcode: String
    var testDescription: String { "\(verdict), \(kind): \(gcode.debugDescription.prefix(60))" }
  }

  static let samples: [Sample] = {
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/gcode/corpus.json")
    return (try? JSONDecoder().decode([Sample].self, from: Data(contentsOf: path))) ?? []
  }()

  @Test("The corpus is there, with at least 300 scripts of each verdict's kinds")
  func size() {
    #expect(Self.samples.count >= 300)
    #expect(Self.samples.count { $0.verdict == "allowed" } >= 100)
  }

  @Test("Each script passes or is refused as the corpus says", arguments: samples)
  func verdict(sample: Sample) {
    let status = PrinterStatus(
      startedAt: MonotonicInstant(sinceOrigin: .zero), wallTime: WallTime(millisecondsSinceEpoch: 0)
    )
    let policy = CommandPolicy(
      permissions: PermissionLevel.print.permissions, allowedMacros: [], gcodePatterns: [])
    var refusal: CommandFailure?
    do throws(CommandFailure) {
      try policy.check(try CommandReading(.gcode(sample.gcode)), status, limits: .unknown)
    } catch { refusal = error }
    #expect(
      (refusal == nil) == (sample.verdict == "allowed"), "\(refusal?.message ?? "no refusal")")
  }
}
