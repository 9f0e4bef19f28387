import ConnectorHost
import ConnectorKit
import TestSupport
import Testing

@Suite("Configuration: damaged files") struct ConfigurationMutationTests {
  private static let registry: [any ConnectorBackend.Type] = [
    SampleConnector.self, StrictConnector.self,
  ]

  @Test("Lines moved about are read, or refused with places inside the file", arguments: 0..<4)
  func shuffled(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let folder = try TemporaryFolder()
    let original = ConfigurationReference(registry: Self.registry).annotatedFile
      .split(separator: "\n").map(String.init)
      .filter { !$0.contains("# ") }.map { $0.replacing("#", with: "") }
    let values = [
      "-1", "''", "[a]", "{b: c}", "~", "${env:X}", "9e99", "off", "&a b", "*a", "\"\\t\"",
    ]
    for _ in 0..<60 {
      var lines = original
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let place = Int.random(in: 0..<lines.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: lines.remove(at: place)
        case 1: lines.insert(lines[place], at: place)
        case 2:
          let key = lines[place].prefix { $0 != ":" }
          lines[place] = "\(key): \(values.randomElement(using: &generator) ?? "")"
        default: lines.swapAt(place, Int.random(in: 0..<lines.count, using: &generator))
        }
      }
      let path = try folder.write("c.yaml", lines.joined(separator: "\n"))
      let loaded = ConfigurationLoader(registry: Self.registry, environment: ["X": "y"]).load(path)
      let hasErrors = loaded.findings.contains { $0.finding.severity == .error }
      #expect((loaded.configuration == nil) == hasErrors)
      for found in loaded.findings {
        #expect((1...lines.count + 1).contains(found.line) && found.column >= 1)
        #expect(!found.finding.problem.isEmpty && !found.finding.remedy.isEmpty)
      }
      #expect(
        loaded.findings.map { [$0.line, $0.column] }
          == loaded.findings.map { [$0.line, $0.column] }.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
      )
    }
  }
}
