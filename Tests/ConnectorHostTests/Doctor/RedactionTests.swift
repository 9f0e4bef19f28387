import ConnectorKit
import Platform
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

  @Test(
    "What a word announces as a secret is taken out, and nothing else",
    arguments: [
      ("Authorization: Bearer canary, then", "Authorization: Bearer <removed>, then"),
      ("{\"token\": \"canary\", \"id\": 7}", "{\"token\": \"<removed>\", \"id\": 7}"),
      ("X-Api-Key: canary", "X-Api-Key: <removed>"),
      ("password=canary&x=1", "password=<removed>&x=1"),
      ("a token is missing", "a token is missing"),
      ("the token: <removed>", "the token: <removed>"),
      ("http://u:canary@h:1/x?token=canary", "http://<removed>@h:1/x?<removed>"),
      ("proxy: \"http://user:ca,na;ry<)@h:1\"", "proxy: \"http://<removed>@h:1\""),
      ("http://user:ca/na?ry@h:1/x", "http://<removed>@h:1/x"),
      ("http://h/x?key=canary,canary;canary)canary", "http://h/x?<removed>"),
      ("Grüße, Secret = canary ö", "Grüße, Secret = <removed> ö"),
    ])
  func announced(_ line: String, _ shown: String) {
    #expect(Redaction(registry: registry, configuration: nil).text(line) == shown)
  }

  @Test(
    "The secrets of a file with mistakes, of what it refers to and of the state directory are found"
  )
  func search() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write("key", "canary-of-a-file\n")
    _ = try folder.write("spliced", "canary-spliced\n")
    let path = try folder.write(
      "c.yaml",
      """
      version: 1
      printr: {}
      state_directory: \(folder.path)/s
      backends:
        - {type: sample, token: canary-1, tokn: canary-2}
        - {type: sample, name: b, token_file: key, site: "${file:spliced} ${env:CANARY}"}
      """)
    try Files.makeFolder(folder.path + "/s", mode: 0o700)
    try Files.makeFolder(folder.path + "/s/identities", mode: 0o700)
    _ = try folder.write(
      "s/identities/a.json", #"{"identity": {"id": "short", "keys": ["canary-stored-16"]}}"#)
    let loader = ConfigurationLoader(
      registry: registry, environment: ["CANARY": "canary-of-environment"])
    let found = SecretSearch(loader: loader, path: path).secrets(nil)
    for secret in [
      "canary-of-a-file", "canary-spliced", "canary-of-environment", "canary-1", "canary-2",
      "canary-stored-16",
    ] { #expect(found.contains(secret), "\(secret) is not found") }
    #expect(!found.contains("sample"))
    #expect(!found.contains("short"))
  }
}
