import BuiltinConnectors
import Testing

@testable import ConnectorHost

@Suite("What decides who is obeyed") struct TrustedKeysTests {
  static let changes = [
    ("auth: open", "auth was pair, is open"),
    ("auth: pair, auto_start: always", "auto_start was when_clear, is always"),
    ("auth: pair, assume_clear_after: 1m", "assume_clear_after was "),
    ("auth: pair, listen: '0.0.0.0:8008'", "listen was 127.0.0.1:8008, is 0.0.0.0:8008"),
  ]

  @Test("A change of Cura's settings that lets others print is told", arguments: changes)
  func cura(keys: String, told: String) throws {
    let loader = ConfigurationLoader(registry: builtinConnectors, environment: [:])
    func trust(_ keys: String) throws -> Trust {
      let text = "version: 1\nbackends:\n  - { type: cura, \(keys) }\n"
      let loaded = loader.load(Array(text.utf8), from: "/nowhere/c.yaml")
      return Trust(try #require(loaded.configuration, "\(loaded.findings)"))
    }
    let (former, new) = (try trust("auth: pair"), try trust(keys))
    let lines = Widening.between(former, new, switchedOn: []).map(\.text)
    #expect(lines.contains { $0.contains(told) }, "\(lines)")
    #expect(Widening.between(new, new, switchedOn: []).isEmpty)
  }
}
