import ConnectorHost
import ConnectorKit
import Testing

@Suite("Configuration: variables, files and secrets") struct ConfigurationSecretTests {
  @Test(
    "A reference that leads nowhere is an error with its place",
    arguments: [
      (
        "site: ${env:NOPE}",
        [
          "4:11: backends[0].site: the environment variable NOPE is not set; set it for the daemon, or write the value here"
        ]
      ),
      (
        "site: ${file:none.txt}",
        ["4:11: backends[0].site: the file ./none.txt does not exist; make it, or correct the path"]
      ),
      (
        "site: ${NOPE}",
        [
          "4:11: backends[0].site: ${NOPE} is not known; write ${env:NAME} or ${file:PATH}, or $${ for the characters"
        ]
      ),
      (
        "site: ${env:}",
        [
          "4:11: backends[0].site: ${env:} is not known; write ${env:NAME} or ${file:PATH}, or $${ for the characters"
        ]
      ),
      (
        "site: a${env:X",
        [
          "4:11: backends[0].site: '${' is not closed; write ${env:NAME} or ${file:PATH}, or $${ for the characters"
        ]
      ),
      (
        "retries: '${env:N}'",
        [
          "4:14: backends[0].retries: ${…} works in texts only; write a whole number from 0 to 10 attempts"
        ]
      ),
      ("site: ${file:.}", ["4:11: backends[0].site: ./. is a folder; name a file in it"]),
      (
        "site: ${env:NOPE}\nenabled: false",
        [
          "4:11: backends[0].site: warning: the environment variable NOPE is not set; set it for the daemon, or write the value here"
        ]
      ),
      (
        "token_file: none\nenabled: false",
        [
          "4:17: backends[0].token_file: warning: the file ./none does not exist; make it, or correct the path"
        ]
      ),
      (
        "token_file: none",
        [
          "4:17: backends[0].token_file: the file ./none does not exist; make it, or correct the path"
        ]
      ),
      (
        "token: a\ntoken_file: b",
        [
          "5:5: backends[0].token_file: gives what backends[0].token in line 4 gives already; keep one of them"
        ]
      ),
      (
        "site_file: x",
        [
          "4:5: backends[0].site_file: is an unknown key; remove it, or write one of type, name, enabled, permissions, cloud_url, token, token_file, site, interval, retries, fast, mode, folder, tags, webcam, scale, allowed_macros, allowed_gcode_patterns, max_command_age, insecure, log_level"
        ]
      ),
      ("site: $${env:NOPE}", []), ("site: $5 and }", []),
    ] as [(String, [String])])
  func references(lines: String, expected: [String]) throws {
    #expect(try findings(entry(lines)) == expected)
  }

  @Test(
    "A secret's file is refused where everyone can read it, empty, torn or no text",
    arguments: [
      ("abc\n", 0o600, []), ("abc\r\n", 0o600, []), ("abc", 0o400, []),
      (
        "abc", 0o640,
        [
          "4:17: backends[0].token_file: warning: the file ./t may be read by its group; chmod 600 ./t"
        ]
      ),
      (
        "abc", 0o644,
        ["4:17: backends[0].token_file: the file ./t may be read by everyone; chmod 600 ./t"]
      ),
      ("", 0o600, ["4:17: backends[0].token_file: the file ./t is empty; write the value into it"]),
      (
        "\n\n", 0o600,
        ["4:17: backends[0].token_file: the file ./t is empty; write the value into it"]
      ),
      (
        "a\nb\n", 0o600,
        [
          "4:17: backends[0].token_file: holds a line break or another control character; write it in one line"
        ]
      ),
      (
        "a\u{0}b", 0o600,
        ["4:17: backends[0].token_file: the file ./t is no text; save it as UTF-8"]
      ),
      (
        String(repeating: "x", count: 70_000), 0o600,
        [
          "4:17: backends[0].token_file: the file ./t is larger than 64 kB; check that this is the right file"
        ]
      ),
      (
        String(repeating: "x", count: 21), 0o600,
        ["4:17: backends[0].token_file: has 21 characters, more than 20; shorten it"]
      ),
    ] as [(String, Int, [String])])
  func secretFiles(content: String, mode: Int, expected: [String]) throws {
    #expect(try findings(entry("token_file: t"), files: [("t", content, mode)]) == expected)
  }

  @Test("A secret by ${file:} has the same care, other texts have not")
  func secretReference() throws {
    let file = [(name: "t", text: "abc\n", mode: 0o644)]
    #expect(
      try findings(entry("token: ${file:t}"), files: file) == [
        "4:12: backends[0].token: the file ./t may be read by everyone; chmod 600 ./t"
      ])
    #expect(try findings(entry("site: ${file:t}"), files: file) == [])
  }

  @Test("A secret that stands in a file others may read is warned of")
  func literal() throws {
    let text = entry("token: abc") + "printer: {api_key: xyz}\n"
    #expect(try findings(text) == [])
    #expect(
      try findings(text, mode: 0o640) == [
        "4:5: backends[0].token: warning: this secret stands in a file that its group can read; write it into a file of mode 0600 and name that with token_file",
        "5:11: printer.api_key: warning: this secret stands in a file that its group can read; write it into a file of mode 0600 and name that with api_key_file",
      ])
    #expect(
      try findings(entry("token: abc"), mode: 0o644) == [
        "4:5: backends[0].token: warning: this secret stands in a file that everyone can read; write it into a file of mode 0600 and name that with token_file"
      ])
    #expect(
      try findings(entry("token: abc"), name: "printer_data/config/printer-uplink.conf") == [
        "4:5: backends[0].token: warning: this secret stands in a file that every Moonraker client can read (printer_data/config); write it into a file of mode 0600 and name that with token_file"
      ])
    #expect(
      try findings(entry("token: ${env:T}"), environment: ["T": "x"], mode: 0o644) == [])
  }

  @Test("Values come from where they say")
  func values() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write("t", "from file\n")
    let path = try folder.write(
      "c.yaml",
      entry(
        "site: a-${env:X}-$${b}\ntoken: ${file:t}\nfolder: ~/gcodes\ninterval: 1.5m\ntags: [a, '${env:X}']"
      )
    )
    let loader = ConfigurationLoader(
      registry: [SampleConnector.self],
      environment: ["X": "null", "HOME": "/home/pi", "SAMPLE_URL": "https://other.example"])
    let loaded = loader.load(path)
    let settings = try #require(loaded.configuration?.backends.first?.settings)
    #expect(settings[SampleConnector.site] == "a-null-${b}")
    #expect(settings.origin(of: SampleConnector.site) == .environment("X"))
    #expect(settings[SampleConnector.token] == Secret("from file"))
    #expect(settings.origin(of: SampleConnector.token) == .secretFile(folder.path + "/t"))
    #expect(settings[SampleConnector.folder] == "/home/pi/gcodes")
    #expect(settings[SampleConnector.interval] == .seconds(90))
    #expect(
      settings.origin(of: SampleConnector.interval) == .file(line: 7, column: 5, isLiteral: true))
    #expect(settings[SampleConnector.tags] == ["a", "null"])
    #expect(settings[SampleConnector.url] == "https://other.example")
    #expect(settings.origin(of: SampleConnector.url) == .environment("SAMPLE_URL"))
    #expect(settings[SampleConnector.retries] == 3)
    #expect(settings.origin(of: SampleConnector.retries) == .byDefault)
    #expect(loaded.fingerprint.count == 64)
  }

  @Test(
    "A secret is removable only where its line is its own",
    arguments: [
      (
        "  - type: sample\n    token: abc\n",
        SettingOrigin.file(line: 4, column: 5, isLiteral: true)
      ),
      ("  - token: abc\n    type: sample\n", .file(line: 3, column: 5, isLiteral: false)),
      ("  - {type: sample, token: abc}\n", .file(line: 3, column: 20, isLiteral: false)),
      ("  - type: sample\n    token: &t abc\n", .file(line: 4, column: 5, isLiteral: false)),
    ])
  func removable(lines: String, expected: SettingOrigin) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("c.yaml", "version: 1\nbackends:\n" + lines)
    let loaded = ConfigurationLoader(registry: [SampleConnector.self], environment: [:]).load(path)
    let settings = try #require(loaded.configuration?.backends.first?.settings)
    #expect(settings.origin(of: SampleConnector.token) == expected)
  }

  @Test("Variables of a connector override or fill, under the same rules as the file")
  func environment() throws {
    #expect(
      try findings(
        entry("cloud_url: https://a"), environment: ["SAMPLE_URL": "http://cloud.example"])
        == [
          "4:5: backends[0].cloud_url: 'http://cloud.example' has no TLS: everybody on the way could read and change what is sent; write https://, or insecure: true in this entry if you accept that"
        ])
    #expect(
      try findings(entry("cloud_url: https://a"), environment: ["SAMPLE_URL": "https://b"]) == [
        "4:5: backends[0].cloud_url: note: comes from the environment variable SAMPLE_URL; unset it to use the value of the file"
      ])
    let variables = ["STRICT_RELAY": "https://r.example", "STRICT_ID": "", "OLD_ID": "7"]
    #expect(
      try findings(entry("", type: "strict"), environment: variables) == [
        "3:5: backends[0].relay: note: comes from the environment variable STRICT_RELAY; unset it to leave this key out",
        "3:5: backends[0].identifier: note: comes from the environment variable OLD_ID; unset it to leave this key out",
      ])
    #expect(
      try findings(
        entry("relay: https://own.example\nidentifier: mine", type: "strict"),
        environment: variables) == [])
    #expect(
      try findings(
        entry("", type: "strict") + "  - {type: strict, name: two, enabled: false}\n",
        environment: variables) == [
          "3:5: backends[0].relay: is missing; write it: 'relay: https://relay.example'"
        ])
  }

  @Test("A rename that would lose a pairing is warned of")
  func rename() throws {
    #expect(
      try findings(entry("name: new"), knownIdentities: ["old"]) == [
        "2:1: backends: warning: no entry has the name 'old', which is paired; if you renamed an entry, give it 'name: old' again, or it has to be paired anew"
      ])
    #expect(try findings(entry("name: old"), knownIdentities: ["old"]) == [])
    #expect(try findings(entry("name: a"), knownIdentities: ["a", "gone"]) == [])
  }

  @Test("No secret shows in any finding")
  func silence() throws {
    for line in [
      "token: SECRETSECRETSECRETSECRETSECRET", "token: \"SECRET\\n\"", "token: [SECRET]",
      "cloud_url: https://u:SECRET@h", "token: {a: SECRET}",
    ] {
      let all = try findings(entry(line), mode: 0o644)
      #expect(!all.isEmpty && !all.joined().contains("SECRET"), "\(all)")
    }
  }
}
