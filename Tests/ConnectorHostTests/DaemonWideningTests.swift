import ConnectorKit
import HTTPServer
import Moonraker
import Networking
import Testing

@testable import ConnectorHost

@Suite("What a reload widens") struct DaemonWideningTests {
  private func configuration(_ entries: [BackendConfiguration]) throws -> Configuration {
    Configuration(
      path: "/x.yaml",
      printer: .init(
        name: "p", moonraker: "http://127.0.0.1:7125",
        address: try #require(MoonrakerAddress("http://127.0.0.1:7125")), moonrakerHTTP: nil,
        apiKey: nil, requireClearBed: false),
      stateDirectory: nil,
      control: .init(listen: nil, healthListen: nil, tokenFile: nil, pinPermissions: false),
      network: NetworkSettings(),
      log: .init(level: .info, file: nil, maximumSizeMB: 10, backups: 5),
      backends: entries)
  }

  private func widenings(
    _ former: BackendConfiguration, _ change: (inout BackendConfiguration) -> Void
  ) throws -> [String] {
    var new = former
    change(&new)
    return Widening.between(try configuration([former]), try configuration([new]))
  }

  @Test("Wider permissions are told with before and after, narrower ones are not")
  func permissions() throws {
    let print = backendEntry("a")
    #expect(
      try widenings(print) {
        $0.permissions = PermissionLevel.full.permissions
        $0.permissionsText = "full"
      } == ["a: permissions was print, is full"])
    #expect(
      try widenings(print) {
        $0.permissions = [.status, .camera]
        $0.permissionsText = "[status, camera]"
      } == [])
    #expect(
      try widenings(print) {
        $0.permissions = [.status, .reboot]
        $0.permissionsText = "[status, reboot]"
      } == ["a: permissions was print, is [status, reboot]"])
  }

  @Test("That a person's start needs no clear bed any more is told, the other way is not")
  func clearBed() throws {
    let former = try configuration([])
    var new = former
    new.printer.requireClearBed = true
    #expect(Widening.between(former, new) == [])
    #expect(
      Widening.between(new, former) == ["printer.require_clear_bed was true, is false"])
  }

  @Test("Macros, patterns, age and plain http are told")
  func others() throws {
    let lines = try widenings(backendEntry("a")) {
      $0.allowedMacros = ["PARK"]
      $0.allowedGcodePatterns = ["^M117"]
      $0.maximumCommandAge = .seconds(600)
      $0.isInsecure = true
    }
    #expect(
      lines == [
        "a: insecure was false, is true", "a: allowed_macros was [], is [PARK]",
        "a: allowed_gcode_patterns was [], is [^M117]",
        "a: max_command_age was 120.0 seconds, is 600.0 seconds",
      ])
  }

  @Test("Another cloud is told, without what its URL may carry; another token is not")
  func urls() throws {
    let former = backendEntry(
      "a", ["url": ("https://one.test/x?key=k1", 3)], secrets: ["token": "s1"])
    let lines = try widenings(former) {
      $0.settings =
        backendEntry(
          "a", ["url": ("https://two.test/y?key=k2", 3)], secrets: ["token": "s2"]
        ).settings
    }
    #expect(lines == ["a: url was https://one.test/x, is https://two.test/y"])
  }

  @Test("A longer list of what is allowed is told by the connector's own key")
  func allowKeys() throws {
    let lines = try widenings(backendEntry("a")) {
      $0.settings.entries["files.allowed"] = Settings.Entry(
        value: .list(["*"]), origin: .file(line: 1, column: 1, isLiteral: true))
    }
    #expect(lines == ["a: files.allowed was [], is [*]"])
  }

  @Test("A new cloud is told, a removed or disabled one is not")
  func entries() throws {
    let (one, two) = (backendEntry("a"), backendEntry("b"))
    let off = backendEntry("b", isEnabled: false)
    let told = ["b: is new, type idle, permissions print"]
    #expect(Widening.between(try configuration([one]), try configuration([one, two])) == told)
    #expect(
      Widening.between(try configuration([one, off]), try configuration([one, two])) == told)
    #expect(Widening.between(try configuration([one, two]), try configuration([one, off])) == [])
    #expect(Widening.between(try configuration([one, two]), try configuration([one])) == [])
  }

  @Test("Another printer, proxy, CA or listener is told, without passwords")
  func daemon() throws {
    var former = try configuration([])
    former.control.pinPermissions = true
    var new = try configuration([])
    new.printer.moonraker = "http://user:pw@10.0.0.9:7125"
    new.network = NetworkSettings(caFile: "/ca.pem", proxy: "http://user:pw@10.0.0.1:3128")
    new.control.listen = HTTPServer.Address(host: "0.0.0.0", port: 7180)
    let lines = Widening.between(former, new)
    #expect(lines.count == 5)
    #expect(lines.first == "printer.moonraker was http://127.0.0.1:7125/, is http://10.0.0.9:7125/")
    #expect(lines.last == "control.pin_permissions was true, is false")
    former.control.pinPermissions = false
    new.control.macros = [.bedCleared, .switch, .notify]
    #expect(
      Widening.between(former, new).last
        == "control.macros was [notify], is [notify, bed_cleared, switch]")
    #expect(!Widening.between(new, former).contains { $0.contains("control.macros") })
    #expect(!lines.joined().contains("pw"))
    #expect(Widening.between(new, new) == [])
  }

  @Test("The link needs what the enabled backends read, and the log's levels follow the entries")
  func derived() throws {
    var quiet = backendEntry("b")
    quiet.logLevel = .error
    let configuration = try configuration([backendEntry("a", isEnabled: false), quiet])
    #expect(configuration.interest == StatusInterest())
    let settings = configuration.logSettings(override: nil)
    #expect(settings.levels == ["b": .error] && settings.level == .info)
    let loud = configuration.logSettings(override: .trace)
    #expect(loud.levels.isEmpty && loud.level == .trace)
    #expect(settings.maximumBytes == 10 << 20)
  }
}
