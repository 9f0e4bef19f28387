import ConnectorKit
import Testing

@testable import ConnectorHost

@Suite("Doctor: what a report shows") struct RedactionTests {
  private let registry: [any ConnectorBackend.Type] = [SampleConnector.self, StrictConnector.self]

  private func redacted(_ text: String) -> String {
    let loaded = ConfigurationLoader(registry: registry, environment: [:])
      .load(Array(text.utf8), from: "c.yaml")
    return Redaction(registry: registry, configuration: loaded.configuration).configuration(text)
  }

  @Test("Of a configuration only values that are known to be harmless stay; comments go")
  func configuration() {
    let text = """
      # the old token was canary-1
      version: 1
      printer:
        name: Voron 2.4 # canary-2
        api_key: canary-3
        api_key_file: /etc/key
      backends:
        - type: sample
          token: canary-4
          tokn: canary-5
          token_file: /etc/token
          site: {x: canary-6}
          cloud_url: https://user:canary-7@cloud.example/x?key=canary-8
          tags:
            - canary-9
        - type: strict
          code: |
            canary-10
            canary-11
          relay: https://relay.example
        - {type: sample, token: canary-12}
      """
    let shown = redacted(text)
    #expect(!shown.contains("canary"), "\(shown)")
    for kept in [
      "version: 1", "name: Voron 2.4", "api_key_file: /etc/key", "type: sample",
      "token_file: /etc/token", "https://", "cloud.example/x?", "relay: https://relay.example",
      "tokn: \(Redaction.mark)",
    ] { #expect(shown.contains(kept), "\(kept) is missing in \(shown)") }
  }

  @Test("A secret of the file is taken out of any text, the longest first")
  func known() {
    let text = """
      version: 1
      printer: {api_key: hush-hush}
      backends:
        - {type: sample, token: hush-hush-hush}
      """
    let loaded = ConfigurationLoader(registry: registry, environment: [:])
      .load(Array(text.utf8), from: "c.yaml")
    #expect(loaded.configuration != nil)
    let redaction = Redaction(registry: registry, configuration: loaded.configuration)
    #expect(
      redaction.text("a hush-hush-hush b hush-hush c http://x/y?z=1 d")
        == "a <removed> b <removed> c http://x/y?<removed> d")
  }
}
