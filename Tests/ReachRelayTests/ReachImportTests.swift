import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ReachRelay

@Suite("Reach: importing the original's files") struct ReachImportTests {
  private static let canary = "canary-token"
  private static let environment = """
    # reach-link
    REACH_LINK_RELAY=https://relay.example.com
    REACH_LINK_TOKEN=\(canary)-1
    REACH_LINK_PRINTER_ID=p-1
    REACH_LINK_USER_ID=u-1
    """
  private static let state = """
    {"reachLinkToken": "\(canary)-1", "printerId": "p-1", "userId": "u-1",
     "relayUrl": "https://relay.example.com", "savedAt": 1795162973}
    """

  private func importing(_ text: String, with companion: String? = nil) throws -> ImportedEntry? {
    try ReachRelayBackend.importing(
      Array(text.utf8), with: companion.map { Array($0.utf8) })
  }

  private func identity(_ entry: ImportedEntry?) throws -> ReachIdentity {
    let entry = try #require(entry)
    return try #require(ReachIdentity(entry.identity))
  }

  @Test("Either file alone holds the pairing, and both together say the same")
  func alone() throws {
    for entry in [
      try importing(Self.environment), try importing(Self.state),
      try importing(Self.environment, with: Self.state),
      try importing(Self.state, with: Self.environment),
    ] {
      let identity = try identity(entry)
      #expect(identity.token == Secret("\(Self.canary)-1"))
      #expect(identity.printerID == "p-1")
      #expect(identity.userID == "u-1")
      #expect(identity.previousToken == nil)
      #expect(entry?.settings.map(\.key) == ["relay"])
      #expect(entry?.settings.first?.value == "https://relay.example.com")
      #expect(entry?.hostSettings.isEmpty == true)
      #expect(entry?.program == "reach-link-agent.py")
      let told = "\(entry?.settings ?? []) \(entry?.notes ?? []) \(entry?.hostSettings ?? [])"
      #expect(!told.contains(Self.canary))
    }
  }

  @Test("Each file names the other one")
  func companions() {
    func companion(_ text: String) -> String? {
      ReachRelayBackend.companion(of: Array(text.utf8))
    }
    #expect(companion(Self.state) == ".env")
    #expect(companion(Self.environment) == ".reach-link-state.json")
    #expect(
      companion(Self.environment + "\nREACH_LINK_STATE_FILE=/var/lib/reach/state.json")
        == "/var/lib/reach/state.json")
    #expect(companion("A=b") == nil)
  }

  @Test("A token that was rotated wins over the one that it replaced, which stays as the way back")
  func rotated() throws {
    let entry = try importing(
      Self.environment,
      with: Self.state.replacing(text: "\(Self.canary)-1", with: "\(Self.canary)-2"))
    let identity = try identity(entry)
    #expect(identity.token == Secret("\(Self.canary)-2"))
    #expect(identity.previousToken == Secret("\(Self.canary)-1"))
    #expect(entry?.notes.count == 1)
    let notes = (entry?.notes ?? []).joined()
    #expect(notes.contains("different tokens"))
    #expect(!notes.contains(Self.canary))
    // The service's environment may go on naming the former one.
    let configuration = try ReachConfiguration(
      .written([
        "relay": .string("https://relay.example.com"), "printer_id": .string("p-1"),
        "token": .secret(Secret("\(Self.canary)-1")),
      ]))
    #expect(PairingDecision(configuration, stored: identity) == .paired(identity))
  }

  @Test("A state file of another printer does not count")
  func otherPrinter() throws {
    let entry = try importing(
      Self.environment,
      with: Self.state.replacing(text: "p-1", with: "p-0").replacing(
        text: "token-1", with: "token-0"))
    let identity = try identity(entry)
    #expect(identity.token == Secret("\(Self.canary)-1"))
    #expect(identity.printerID == "p-1")
    #expect(identity.previousToken == nil)
    let notes = (entry?.notes ?? []).joined()
    #expect(notes.contains("another printer (p-0)"))
  }

  @Test("The state file's relay wins, without a path, and never one without TLS")
  func relays() throws {
    func relay(_ kept: String, _ configured: String) throws -> JSONValue? {
      try importing(
        Self.environment.replacing(text: "https://relay.example.com", with: configured),
        with: Self.state.replacing(text: "https://relay.example.com", with: kept))?.settings.first?
        .value
    }
    #expect(try relay("https://b.example/x", "https://a.example") == "https://b.example")
    #expect(try relay("http://b.example", "https://a.example/") == "https://a.example")
    #expect(throws: ImportFailure.self) { try relay("http://b.example", "http://a.example") }
  }

  @Test("The other spellings of the state file are read too")
  func spellings() throws {
    let entry = try importing(
      #"{"token":"t","reachLinkPrinterId":"p","reachLinkUserId":"u","relayUrl":"https://r.example"}"#
    )
    let identity = try identity(entry)
    #expect(identity.token == Secret("t"))
    #expect(identity.printerID == "p")
    #expect(identity.userID == "u")
  }

  @Test("Quotes, blanks and repeats in .env are read as systemd and the agent do")
  func lines() throws {
    let entry = try importing(
      """
      \u{20} REACH_LINK_RELAY = "https://r.example"\r
      REACH_LINK_TOKEN=
      REACH_LINK_TOKEN='a=b'
      REACH_LINK_TOKEN=second
      #REACH_LINK_PRINTER_ID=no
      REACH_PRINTER_ID=p-7
      nonsense
      """)
    let identity = try identity(entry)
    #expect(identity.token == Secret("a=b"))
    #expect(identity.printerID == "p-7")
    #expect(entry?.settings.first?.value == "https://r.example")
  }

  @Test("Intervals and the printer's address are the entry's, brought into their range")
  func settings() throws {
    let entry = try #require(
      try importing(
        Self.environment + """

          REACH_LINK_PRINTER_IP=192.0.2.7
          REACH_LINK_HEARTBEAT_INTERVAL=30
          REACH_LINK_TELEMETRY_INTERVAL=0
          REACH_LINK_COMMAND_POLL_INTERVAL=25
          """, with: Self.state))
    #expect(entry.settings.map(\.key) == ["relay", "printer_ip", "telemetry_interval"])
    #expect(entry.settings.map(\.value) == ["https://relay.example.com", "192.0.2.7", 1])
    #expect(
      entry.notes == ["REACH_LINK_TELEMETRY_INTERVAL was 0; the nearest that is possible here is 1"]
    )
    let odd = try importing(
      Self.environment + "\nREACH_LINK_HEARTBEAT_INTERVAL=soon\n", with: Self.state)
    #expect(
      odd?.notes == ["REACH_LINK_HEARTBEAT_INTERVAL is no whole number and is not taken over"])
  }

  @Test("What is the host's here becomes the host's")
  func hostSettings() throws {
    let entry = try #require(
      try importing(
        Self.environment + """

          REACH_LINK_MOONRAKER_URL=http://192.0.2.8:7125
          REACH_LINK_LOG_FILE=/var/log/reach-link.log
          REACH_LINK_HEALTH_PORT=8080
          RUST_LOG=warn
          """, with: Self.state))
    #expect(
      entry.hostSettings.map(\.key) == [
        "printer.moonraker", "log.file", "log.level", "control.health_listen",
      ])
    #expect(
      entry.hostSettings.map(\.value) == [
        "http://192.0.2.8:7125", "/var/log/reach-link.log", "warning", "0.0.0.0:8080",
      ])
    let odd = try #require(
      try importing(
        Self.environment + """

          REACH_LINK_MOONRAKER_URL=http://127.0.0.1:7125
          REACH_LINK_LOG_FILE=reach.log
          REACH_LINK_HEALTH_PORT=99999
          RUST_LOG=reach=debug,info
          """, with: Self.state))
    #expect(odd.hostSettings.isEmpty)
    #expect(odd.notes.count == 3)
  }

  @Test(
    "Files that cannot be used say why, without their token",
    arguments: [
      (
        "REACH_LINK_RELAY=https://r.example\nREACH_LINK_PAIRING_CODE=\(canary)",
        "has not paired yet"
      ),
      ("REACH_LINK_RELAY=https://r.example\nREACH_LINK_TOKEN=\(canary)", "no id of the printer"),
      ("REACH_LINK_TOKEN=\(canary)\nREACH_LINK_PRINTER_ID=p", "the relay's address is missing"),
      (
        "REACH_LINK_RELAY=http://r.example\nREACH_LINK_TOKEN=\(canary)\nREACH_LINK_PRINTER_ID=p",
        "no https address"
      ),
      (
        "REACH_LINK_RELAY=https://r.example\nREACH_LINK_TOKEN=\(canary) x\nREACH_LINK_PRINTER_ID=p",
        "a blank"
      ),
      (#"{"reachLinkToken":"","relayUrl":"https://r.example"}"#, "has not paired yet"),
    ])
  func unusable(_ text: String, _ problem: String) throws {
    let failure = try #require(throws: ImportFailure.self) { try importing(text) }
    #expect(failure.problem.contains(problem), "\(failure)")
    #expect(!"\(failure)".contains(Self.canary))
    #expect(!failure.remedy.isEmpty)
  }

  @Test(
    "What is no such file is nobody's",
    arguments: ["", "[]", "{}", "7", "A=b\n", #"{"moonraker":[]}"#, "version: 1\n", "\u{FEFF}"])
  func foreign(_ text: String) throws {
    #expect(try importing(text) == nil)
    #expect(ReachRelayBackend.companion(of: Array(text.utf8)) == nil)
  }
}
