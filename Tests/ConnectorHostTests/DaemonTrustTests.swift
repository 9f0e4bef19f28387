import ConnectorKit
import Cryptography
import Platform
import Testing

@testable import ConnectorHost

@Suite("What was accepted") struct DaemonTrustTests {
  private let folder: TemporaryFolder
  private let directory: StateDirectory
  private let log = Log(label: "x", sink: Silence())
  private let loader = ConfigurationLoader(
    registry: [SampleConnector.self, StrictConnector.self], environment: [:])

  private struct Silence: LogSink {
    func accepts(_ level: LogLevel, label: String) -> Bool { false }
    func write(_ level: LogLevel, label: String, message: String) {}
  }

  init() throws {
    folder = try TemporaryFolder()
    directory = try StateDirectory(opening: folder.path + "/s", configurationPath: "/nowhere")
  }

  private static let file = """
    version: 1
    control: { pin_permissions: true }
    backends:
      - { type: sample, name: a, token: t }
      - { type: sample, name: b, enabled: false }

    """

  private func load(_ text: String) -> LoadedConfiguration {
    loader.load(Array(text.utf8), from: folder.path + "/c.yaml")
  }

  private func start(
    _ text: String, _ former: AcceptedStore.Accepted?,
    _ overlay: ConfigurationOverlay = ConfigurationOverlay()
  ) throws -> StartingConfiguration {
    let loaded = load(text)
    return StartingConfiguration(
      loaded, try #require(loaded.configuration), former: former, overlay: overlay, loader: loader,
      log: log)
  }

  private func accepted(_ text: String) throws -> AcceptedStore.Accepted {
    AcceptedStore.Accepted(
      trust: Trust(try #require(load(text).configuration)), text: Array(text.utf8))
  }

  @Test("It is the same after a restart, for the daemon's user alone, and holds no secret")
  func kept() throws {
    let store = AcceptedStore(directory: directory, log: log)
    #expect(store.accepted == nil && !store.isDamaged)
    let accepted = try accepted(Self.file)
    store.keep(accepted.trust, text: Array(Self.file.utf8))
    let again = AcceptedStore(directory: directory, log: log)
    #expect(again.accepted == accepted)
    for name in ["accepted.json", "accepted.yaml"] {
      #expect(try Files.information(directory.path(of: name))?.mode == 0o600)
    }
    try Files.replace(directory.path(of: "accepted.yaml"), with: Array("version: 1\n".utf8))
    let changed = AcceptedStore(directory: directory, log: log)
    #expect(changed.accepted?.trust == accepted.trust, "what it trusts is known all the same")
    #expect(changed.accepted?.text == nil, "a text that is not the accepted one does not count")
    try Files.replace(directory.path(of: "accepted.json"), with: Array("{}".utf8))
    #expect(AcceptedStore(directory: directory, log: log).isDamaged)
  }

  @Test("The text is kept only where it is needed")
  func unpinned() throws {
    let store = AcceptedStore(directory: directory, log: log)
    let pinned = try accepted(Self.file)
    store.keep(pinned.trust, text: Array(Self.file.utf8))
    var loose = pinned.trust
    loose.pinsPermissions = false
    store.keep(loose, text: Array(Self.file.utf8))
    let names = try Files.names(in: directory.path)
    #expect(names == ["accepted.json"])
  }

  @Test("A first start accepts the file, and one that allows no more counts as it is")
  func plain() throws {
    let first = try start(Self.file, nil)
    #expect(first.waiting.isEmpty && first.widened.isEmpty)
    let narrower = Self.file.replacing("token: t", with: "token: u, permissions: monitor")
    let next = try start(narrower, try accepted(Self.file))
    #expect(next.waiting.isEmpty && next.widened.isEmpty)
    #expect(next.configuration.backends.first?.permissionsText == "monitor")
  }

  @Test("A pinned start runs with what was accepted, and the rest waits")
  func pinned() throws {
    let wider = Self.file.replacing("token: t", with: "token: t, permissions: full")
    let held = try start(wider, try accepted(Self.file))
    #expect(held.waiting.map(\.text) == ["a: permissions was print, is full"])
    #expect(held.widened.isEmpty)
    #expect(held.configuration.backends.first?.permissionsText == "print")
    #expect(held.text == Array(Self.file.utf8))
  }

  @Test("Without the text that was accepted, what would be wider stays off")
  func withoutText() throws {
    var former = try accepted(Self.file)
    former.text = nil
    let wider = Self.file.replacing("token: t", with: "token: t, permissions: full")
    let held = try start(wider, former)
    #expect(held.waiting.count == 1 && held.text.isEmpty)
    #expect(held.configuration.backends.allSatisfy { !$0.isEnabled })
    let listening = try start("control: { listen: 0.0.0.0:7180 }\n" + Self.host, former)
    #expect(listening.configuration.backends.allSatisfy { !$0.isEnabled })
    #expect(listening.configuration.control.listen == nil)
  }

  private static let host = "version: 1\nbackends:\n  - { type: sample, name: a, token: t }\n"

  @Test("A start that is not pinned tells what it allows")
  func told() throws {
    var former = try accepted(Self.file)
    former.trust.pinsPermissions = false
    let wider = Self.file.replacing("token: t", with: "cloud_url: https://other.example, token: t")
    let start = try start(wider, former)
    #expect(
      start.widened.map(\.text) == [
        "a: cloud_url was https://cloud.example, is https://other.example/"
      ])
    #expect(start.waiting.isEmpty)
  }

  @Test(
    "What was switched on by a person is no news, and no other switch is lost where it cannot be")
  func switches() throws {
    var overlay = ConfigurationOverlay()
    overlay.set("a", isEnabled: false, written: true)
    overlay.set("b", isEnabled: true, written: false)
    let former = try accepted(Self.file)
    let on = try start(Self.file, former, overlay)
    #expect(on.waiting.isEmpty)
    #expect(on.configuration.backends.map(\.isEnabled) == [false, true])
    let broken = Self.file.replacing(
      "enabled: false", with: "enabled: false, token_file: /nowhere/at/all")
    let off = try start(broken, former, overlay)
    #expect(off.configuration.backends.map(\.isEnabled) == [false, false])
  }

  @Test(
    "Who could hand himself the token, the files or the log by the file is told",
    arguments: [
      ("control: { token_file: /t }", "control.token_file was not set, is /t"),
      ("control: { health_listen: 0.0.0.0:9 }", "control.health_listen was not set, is "),
      ("log: { file: /x.log }", "log.file was not set, is /x.log"),
      ("state_directory: /srv/x", "state_directory was not set, is /srv/x"),
      ("printer: { api_key: k }", "printer.api_key was not set, is <secret>"),
      (
        "printer: { moonraker: 'unix:/m.sock', moonraker_http: 'http://127.0.0.1:1' }",
        "printer.moonraker_http was not set, is "
      ),
    ])
  func hostKeys(line: String, told: String) throws {
    let former = Trust(try #require(load(Self.host).configuration))
    let loaded = load(line + "\n" + Self.host)
    let new = Trust(try #require(loaded.configuration, "\(loaded.findings)"))
    let lines = Widening.between(former, new, switchedOn: []).map(\.text)
    #expect(lines.contains { $0.hasPrefix(told) }, "\(lines)")
    let back = Widening.between(new, former, switchedOn: []).map(\.text)
    #expect(!back.contains { $0.hasPrefix("control.token_file") })
  }

  @Test("An entry that is off stays known as it ran last")
  func whileOff() throws {
    let former = Trust(try #require(load(Self.host).configuration))
    let off = Self.host.replacing("token: t", with: "enabled: false, permissions: full")
    let meanwhile = Trust(try #require(load(off).configuration), former: former)
    #expect(Widening.between(former, meanwhile, switchedOn: []).isEmpty)
    let on = Self.host.replacing("token: t", with: "token: t, permissions: full")
    let new = Trust(try #require(load(on).configuration), former: meanwhile)
    #expect(
      Widening.between(meanwhile, new, switchedOn: ["a"]).map(\.text)
        == ["a: permissions was print, is full"])
  }

  @Test(
    "A token file that Moonraker hands out is refused",
    arguments: ["config", "gcodes", "logs"])
  func servedToken(root: String) throws {
    let path = "\(folder.path)/printer_data/\(root)/t"
    #expect(load("control: { token_file: \(path) }\n" + Self.host).configuration == nil)
    #expect(throws: StateFailure.self) { try ControlToken(file: path) }
    let found = try Files.information(path)
    #expect(found == nil)
  }
}
