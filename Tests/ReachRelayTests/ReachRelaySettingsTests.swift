import ConnectorKit
import TestSupport
import Testing

@testable import ReachRelay

@Suite("Reach settings") struct ReachRelaySettingsTests {
  static let paired: [String: SettingValue] = [
    "relay": .string("https://relay.example.com"), "token": .secret(Secret("t")),
    "printer_id": .string("p"),
  ]

  @Test("A complete entry has no findings")
  func complete() {
    #expect(ReachRelayBackend.validate(Settings.written(Self.paired)).isEmpty)
    let coded = Settings.written([
      "relay": .string("https://relay.example.com/"), "pairing_code": .secret(Secret("ABC123")),
    ])
    #expect(ReachRelayBackend.validate(coded).isEmpty)
  }

  @Test(
    "A relay's address with more than scheme, host and port is an error",
    arguments: [
      ("https://relay.example.com/api", "the relay's address has the path /api"),
      ("https://relay.example.com/?a=1", "the relay's address has a query"),
      ("https://relay.example.com/#a", "the relay's address has a fragment"),
      ("https://me:secret@relay.example.com", "the relay's address has a user name or password"),
    ])
  func excess(url: String, problem: String) {
    var values = Self.paired
    values["relay"] = .string(url)
    let findings = ReachRelayBackend.validate(Settings.written(values))
    #expect(findings.map(\.problem) == [problem])
    #expect(findings.map(\.severity) == [.error])
    #expect(!findings.contains { $0.problem.contains("secret") })
  }

  @Test("A token without its printer is an error")
  func tokenWithoutPrinter() {
    var values = Self.paired
    values["printer_id"] = nil
    let findings = ReachRelayBackend.validate(Settings.written(values))
    #expect(findings.map(\.severity) == [.error])
    #expect(findings.map(\.key) == ["token"])
  }

  @Test("A token or a version that could write further header fields is an error")
  func headerInjection() {
    for (key, value) in [
      ("token", SettingValue.secret(Secret("t\r\nHost: other"))),
      ("agent_version", .string("1.0\r\nHost: other")),
    ] {
      var values = Self.paired
      values[key] = value
      let findings = ReachRelayBackend.validate(Settings.written(values))
      #expect(findings.map(\.key) == [key])
      #expect(findings.map(\.severity) == [.error])
    }
  }

  @Test("Neither token nor code is a warning, since the printer may be paired already")
  func nothing() {
    let findings = ReachRelayBackend.validate(
      Settings.written(["relay": .string("https://relay.example.com")]))
    #expect(findings.map(\.severity) == [.warning])
  }

  @Test("A token beside a pairing code is a warning")
  func both() {
    var values = Self.paired
    values["pairing_code"] = .secret(Secret("ABC123"))
    #expect(ReachRelayBackend.validate(Settings.written(values)).map(\.key) == ["pairing_code"])
  }

  @Test("Two written intervals that contradict each other are a warning")
  func intervals() {
    var values = Self.paired
    values["telemetry_interval"] = .duration(.seconds(5))
    #expect(ReachRelayBackend.validate(Settings.written(values)).isEmpty)
    values["telemetry_idle_interval"] = .duration(.seconds(60))
    let findings = ReachRelayBackend.validate(Settings.written(values))
    #expect(findings.map(\.key) == ["telemetry_idle_interval"])
    #expect(findings.map(\.severity) == [.warning])
  }

  @Test(
    "A pin must be in libcurl's form",
    arguments: [
      ("sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=", true),
      (
        "sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=;sha256//t62CeU2tQiqkexU74Gxa2eg7fRbEgoChTociMee9wno=",
        true
      ),
      ("sha256/YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=", false), ("/etc/key.pem", false),
      ("sha256//abc=", false), ("", false),
    ])
  func pins(pin: String, isValid: Bool) {
    var values = Self.paired
    values["pinned_public_key"] = .string(pin)
    #expect(ReachRelayBackend.validate(Settings.written(values)).isEmpty == isValid)
  }

  @Test(
    "Tokens go out over https only, but for this very host",
    arguments: [
      ("https://Relay.Example.com/", "https://relay.example.com"),
      ("https://relay.example.com:8443", "https://relay.example.com:8443"),
      ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("http://relay.example.com", nil),
      ("http://192.168.1.4", nil), ("ftp://relay.example.com", nil), ("relay.example.com", nil),
      ("https://me@relay.example.com", nil),
    ] as [(String, String?)])
  func addresses(url: String, origin: String?) {
    #expect(RelayAddress(origin: url)?.origin == origin)
  }

  @Test("The descriptor declares each key once, and every variable fills a declared key")
  func descriptor() {
    let descriptor = ReachRelayBackend.descriptor
    let keys = descriptor.settings.map(\.key)
    #expect(Set(keys).count == keys.count)
    #expect(descriptor.environment.allSatisfy { keys.contains($0.setting) })
    #expect(
      descriptor.settings.filter(\.isSecret).map(\.key)
        == ["pairing_code", "token", "firebase.token"])
    #expect(!descriptor.intention(Settings.written(Self.paired)).contains("<secret>"))
    #expect(
      descriptor.intention(Settings.written(Self.paired))
        == "report to relay.example.com with the configured token")
  }

  @Test("What changes without end and is not shown is not asked for")
  func reads() {
    let objects = ReachRelayBackend.descriptor.reads.objects
    #expect(objects["toolhead"] == .named(["position", "extruder"]))
    #expect(objects["system_stats"] == nil)
    #expect(objects["motion_report"] == nil)
  }
}
