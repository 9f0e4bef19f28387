import BuiltinConnectors
import ConnectorKit
import Foundation
import HTTPServer
import JSON
import Platform
import Testing

@testable import ConnectorHost

@Suite("CommandLine: import") struct CommandLineImportTests {
  private let folder: TemporaryFolder
  private let configuration: String
  private let original: String
  private static let text = """
    # my printer
    version: 1
    state_directory: state
    printer: {name: Voron}   # flow
    backends:
      - type: reach          # the relay
        relay: https://relay.example

    # the rest
    log: {level: info}

    """
  fileprivate static let secret = "c_canary_secret_for_tests"

  init() throws {
    folder = try TemporaryFolder()
    configuration = try folder.write("printer-uplink.yaml", Self.text, mode: 0o640)
    original = try folder.write(
      "config.json",
      """
      {"cloud_url": "https://cloud.example/base", "connector_id": "46",
       "connector_secret": "\(Self.secret)", "site_name": "Test \\"Lab\\": #1",
       "push_snapshots_seconds": 60, "heartbeat_seconds": 300, "state_dir": "/var/lib/x",
       "moonraker": [{"printer_id": 262, "name": "Voron", "base_url": "http://localhost:7125/",
         "ui_port": 4408}]}
      """)
  }

  private func run(
    _ file: String? = nil, writes: Bool, processes: String? = nil,
    registry: [any ConnectorBackend.Type] = builtinConnectors
  ) async -> CommandResult {
    let written = Guarded((output: "", errors: ""))
    let terminal = Terminal(
      output: { text in written.withLock { $0.output += text + "\n" } },
      errors: { text in written.withLock { $0.errors += text + "\n" } }, isTerminal: false)
    let status = await ImportCommand(
      loader: ConfigurationLoader(registry: registry, environment: [:]),
      terminal: terminal, writes: writes, processes: processes ?? folder.path + "/none"
    ).run(file ?? original, configuration: configuration)
    return written.withLock { CommandResult(status: status, output: $0.output, errors: $0.errors) }
  }

  private func identity(_ name: String = "printdock") async throws -> JSONObject? {
    let directory = try StateDirectory(
      opening: folder.path + "/state", configurationPath: configuration)
    return try await FileIdentityStore(directory: directory, name: name).load()
  }

  private func read(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  @Test("The entry is printed, its secrets lie in the state directory and nowhere else")
  func printed() async throws {
    let result = await run(writes: false)
    #expect(result.status == 0)
    #expect(
      result.output.hasPrefix(
        "  - type: printdock\n    cloud_url: \"https://cloud.example/base\"\n"))
    #expect(result.output.contains("    site_name: \"Test \\\"Lab\\\": #1\"\n    ui_port: 4408\n"))
    #expect(result.output.contains("    push_snapshots_seconds: 60\n    heartbeat_seconds: 50\n"))
    #expect(!result.output.contains("enabled"))
    #expect(result.errors.contains("heartbeat_seconds was 300"))
    #expect(result.errors.contains("does not run here now"))
    #expect(!result.errors.contains("same printer?"))
    #expect(!(result.output + result.errors).contains(Self.secret))
    #expect(try read(configuration) == Self.text)
    let identity = try #require(try await identity())
    #expect(identity["connector_id"]?.string == "46")
    #expect(identity["connector_secret"]?.string == Self.secret)
    #expect(identity["printer_id"]?.integer == 262)
    let file = folder.path + "/state/identities/printdock.json"
    #expect(
      try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
  }

  @Test("With --write the file gets the entry, keeps the rest and its mode, and validates")
  func written() async throws {
    // Printed before: the same pairing keeps its name.
    _ = await run(writes: false)
    let result = await run(writes: true)
    #expect(result.status == 0)
    let text = try read(configuration)
    let parts = Self.text.components(separatedBy: "\n\n# the rest")
    #expect(text.hasPrefix(parts[0] + "\n  - type: printdock\n"))
    #expect(text.hasSuffix("\n\n# the rest" + parts[1]))
    #expect(!text.contains(Self.secret))
    let mode = try FileManager.default.attributesOfItem(atPath: configuration)[.posixPermissions]
    #expect(mode as? Int == 0o640)
    let loaded = ConfigurationLoader(registry: builtinConnectors, environment: [:])
      .load(configuration)
    let entry = try #require(loaded.configuration?.backends.last)
    #expect(entry.name == "printdock")
    #expect(entry.isEnabled)
    let again = await run(writes: true)
    #expect(again.status == 1)
    #expect(again.errors.contains("entry 'printdock' already"))
    #expect(try read(configuration) == text)
  }

  @Test("While the original runs the entry is disabled, and the owner hears how to stop it")
  func running() async throws {
    for (process, line) in [
      ("4711", "/usr/local/bin/printer-connector\0--config\0x\0"),
      ("12", "vim\0printer-connector\0"),
      ("self", "printer-connector\0"), ("13", "printer-connector-ui\0"), ("14", ""),
    ] {
      _ = try folder.write("proc/\(process)/cmdline", line)
    }
    let result = await run(writes: true, processes: folder.path + "/proc")
    #expect(result.status == 0)
    #expect(result.errors.contains("still runs here (process 4711)"))
    #expect(result.errors.contains("systemctl disable --now printer-connector"))
    let text = try read(configuration)
    #expect(
      text.contains(
        "  - type: printdock\n    # printer-connector still runs here: stop it, then remove the next line\n    enabled: false\n"
      ))
  }

  // MARK: Reach's agent: two files, and settings that are the host's

  private func writeReach() throws -> String {
    _ = try folder.write(
      "agent/.reach-link-state.json",
      """
      {"reachLinkToken": "\(Self.secret)2", "printerId": "p-1", "relayUrl": "https://r.example"}
      """)
    return try folder.write(
      "agent/.env",
      """
      REACH_LINK_RELAY=https://r.example
      REACH_LINK_TOKEN=\(Self.secret)
      REACH_LINK_PRINTER_ID=p-1
      REACH_LINK_TELEMETRY_INTERVAL=5
      REACH_LINK_HEALTH_PORT=8080
      REACH_LINK_LOG_FILE=/var/log/reach-link.log
      """)
  }

  @Test("The companion of a file is read with it; what is the host's goes to the host's sections")
  func reach() async throws {
    let file = try writeReach()
    let result = await run(file, writes: true)
    #expect(result.status == 0, "\(result.errors)")
    let text = try read(configuration)
    #expect(
      text.contains(
        "  - type: reach\n    name: reach-2\n    relay: \"https://r.example\"\n    telemetry_interval: 5\n"
      ))
    #expect(text.hasSuffix("\ncontrol:\n  health_listen: \"0.0.0.0:8080\"\n"))
    // `log` stands there in braces: nothing is put into it.
    #expect(result.errors.contains("Put 'file: \"/var/log/reach-link.log\"' under 'log' too."))
    #expect(!(result.output + result.errors + text).contains(Self.secret))
    let identity = try #require(try await identity("reach-2"))
    #expect(identity["token"]?.string == Self.secret + "2")
    #expect(identity["previous_token"]?.string == Self.secret)
    let loaded = ConfigurationLoader(registry: builtinConnectors, environment: [:])
      .load(configuration)
    #expect(loaded.configuration?.control.healthListen?.port == 8080)
  }

  @Test("Printed, the host's settings are said too, and nothing is written")
  func reachPrinted() async throws {
    let result = await run(try writeReach(), writes: false)
    #expect(result.status == 0)
    #expect(result.output.hasPrefix("  - type: reach\n    name: reach-2\n"))
    #expect(
      result.errors.contains("Put 'health_listen: \"0.0.0.0:8080\"' under 'control' too."))
    #expect(try read(configuration) == Self.text)
  }

  @Test("A secret that is a setting goes to a file of its own, and nested keys below their section")
  func secretSettings() async throws {
    let registry: [any ConnectorBackend.Type] = builtinConnectors + [ImportedSample.self]
    let file = try folder.write("sample.ini", "good")
    let result = await run(file, writes: true, registry: registry)
    #expect(result.status == 0, "\(result.errors)")
    let place = folder.path + "/state/secrets/imported%20token"
    let text = try read(configuration)
    #expect(
      text.contains(
        "  - type: imported\n    webcam:\n      interval: 3\n      mode: \"quick\"\n    token_file: \"\(place)\"\n"
      ), "\(text)")
    #expect(try read(place) == Self.secret + "\n")
    #expect(
      try FileManager.default.attributesOfItem(atPath: place)[.posixPermissions] as? Int == 0o600)
    #expect(!(result.output + result.errors + text).contains(Self.secret))
    // One that is not accepted leaves none behind.
    try FileManager.default.removeItem(atPath: place)
    _ = try folder.write("printer-uplink.yaml", Self.text)
    let bad = await run(
      try folder.write("sample.ini", "bad"), writes: true, registry: registry)
    #expect(bad.status == 78)
    #expect(bad.errors.contains("webcam.interval"), "\(bad.errors)")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state/secrets")
    #expect(left.isEmpty)
    #expect(try read(configuration) == Self.text)
  }

  /// A connector whose agent has a secret among its settings.
  private struct ImportedSample: ConnectorBackend {
    static let token = Setting.secret("token", "The token.")
    static let interval = Setting.integer("webcam.interval", default: 5, range: 1...60, "Frames.")
    static let mode = Setting.choice(
      "webcam.mode", default: "slow", of: ["slow", "quick"], "Which.")
    static let descriptor = ConnectorDescriptor(
      type: "imported", title: "Imported", summary: "Has an agent.",
      settings: [token.declaration, interval.declaration, mode.declaration],
      reads: StatusInterest(), minimalExample: "type: imported", intention: { _ in "reports" })
    static func importing(_ text: [UInt8]) throws(ImportFailure) -> ImportedEntry? {
      let text = String(decoding: text, as: UTF8.self)
      guard text == "good" || text == "bad" else { return nil }
      var entry = ImportedEntry(
        settings: [
          ("webcam.interval", text == "good" ? 3 : 99), ("webcam.mode", "quick"),
        ], identity: ["id": .string(text)], program: "imported-agent", stopAdvice: "stop it")
      entry.secrets = [("token", Secret(CommandLineImportTests.secret))]
      return entry
    }
    init(settings: Settings, context: BackendContext) async throws {}
    func run() async throws {}
    func runOnce() async throws {}
  }

  @Test("An agent that Python runs is found by its script")
  func pythonAgent() async throws {
    for (process, line) in [
      ("21", "/usr/bin/python3\0-u\0/root/reach-link-agent.py\0"),
      ("22", "/usr/bin/python3\0/root/other.py\0reach-link-agent.py\0"),
      ("23", "vim\0reach-link-agent.py\0"), ("24", "python3\0"),
    ] {
      _ = try folder.write("proc/\(process)/cmdline", line)
    }
    let result = await run(try writeReach(), writes: true, processes: folder.path + "/proc")
    #expect(result.status == 0)
    #expect(result.errors.contains("reach-link-agent.py still runs here (process 21)"))
    #expect(try read(configuration).contains("    enabled: false\n    relay:"))
  }

  @Test("Not while a daemon holds the lock; nothing is touched")
  func locked() async throws {
    let directory = try StateDirectory(
      opening: folder.path + "/state", configurationPath: configuration)
    let lock = try directory.lock()
    let result = await run(writes: true)
    #expect(result.status == 1)
    #expect(result.errors.contains("another printer-uplink"))
    #expect(try read(configuration) == Self.text)
    #expect(try await identity() == nil)
    withExtendedLifetime(lock) {}
  }

  @Test("An entry or a pairing of that name keeps it; the new one gets a name of its own")
  func otherName() async throws {
    let directory = try StateDirectory(
      opening: folder.path + "/state", configurationPath: configuration)
    let other: JSONObject = ["connector_id": "1"]
    try await FileIdentityStore(directory: directory, name: "printdock").save(other)
    let result = await run(writes: true)
    #expect(result.status == 0)
    #expect(try read(configuration).contains("  - type: printdock\n    name: printdock-2\n"))
    #expect(try await identity() == other)
    #expect(try await identity("printdock-2")?["connector_id"]?.string == "46")
  }

  @Test("A file with mistakes is told of, and nothing is written")
  func badConfiguration() async throws {
    let bad = Self.text + "printr: 1\n"
    _ = try folder.write("printer-uplink.yaml", bad)
    let result = await run(writes: true)
    #expect(result.status == 78)
    #expect(result.errors.contains("printr"))
    #expect(try read(configuration) == bad)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/state"))
  }

  @Test("An entry that the file would not be accepted with is not written, and no secret is stored")
  func unacceptable() async throws {
    let plain = try folder.write(
      "plain.json",
      #"{"cloud_url":"http://cloud.example","connector_id":"4","connector_secret":"s","moonraker":[{"printer_id":1}]}"#
    )
    let result = await run(plain, writes: true)
    #expect(result.status == 78)
    #expect(result.errors.contains("insecure"))
    #expect(try read(configuration) == Self.text)
    #expect(try await identity() == nil)
  }

  @Test("What is no agent's file, or is not there, is said")
  func foreign() async throws {
    for text in [
      "", "[]", "{}", "version: 1", "{\"moonraker\": 7}", String(repeating: "[", count: 9_999),
    ] {
      let file = try folder.write("foreign", text)
      let result = await run(file, writes: true)
      #expect(result.status == 1)
      #expect(result.errors.contains("is not the configuration of an agent that is known here"))
    }
    #expect(await run(folder.path + "/missing", writes: false).status == 1)
    #expect(try read(configuration) == Self.text)
  }
}
