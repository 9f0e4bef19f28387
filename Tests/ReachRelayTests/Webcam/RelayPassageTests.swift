import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import ReachRelay

@Suite("Reach: whether pictures may go out") struct RelayPassageTests {
  @Test("They wait for the first heartbeat's answer, and go with the token in use")
  func start() {
    var harness = SessionHarness()
    harness.happen()
    #expect(harness.session.passage.opensAt == nil)
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.session.passage.opensAt.map { $0 <= harness.now } == true)
    #expect(harness.session.passage.token == Secret("t1"))
    #expect(harness.session.passage.acceptances == 1)
    harness.answer(.telemetry, .accepted([:]))
    #expect(harness.session.passage.acceptances == 2)
  }

  @Test("They wait while the token is in doubt, and while the link is away")
  func doubt() {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, .accepted([:]))
    harness.answer(.telemetry, .unauthorised(""))
    #expect(harness.session.passage.opensAt == nil)
    harness.move(to: 5)
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.session.passage.opensAt != nil)
    harness.move(to: 35)
    harness.answer(.heartbeat, .unreachable(.timeout, ""))
    #expect(harness.session.passage.opensAt == nil)
  }

  @Test("They wait with everything else when the relay asks for it; and everything else with them")
  func waits() {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, .accepted([:]))
    harness.answer(.telemetry, .accepted([:]))
    harness.move(to: 1)
    harness.happen(.asked(toWait: .seconds(100)))
    #expect(harness.session.passage.opensAt == harness.now.advanced(by: .seconds(100)))
    harness.move(to: 100)
    #expect(harness.openEndpoints.isEmpty)
    // A shorter wish does not shorten a longer one.
    harness.happen(.asked(toWait: .seconds(0.5)))
    harness.move(to: 100.9)
    #expect(harness.openEndpoints.isEmpty)
    harness.move(to: 101)
    #expect(harness.openEndpoints.contains(.heartbeat))
  }

  @Test("A report that is told to wait holds them back as long")
  func heldBack() {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, .accepted([:]))
    harness.answer(.telemetry, .wait(status: 429, .seconds(60)))
    #expect(harness.session.passage.opensAt == harness.now.advanced(by: .seconds(60)))
  }

  @Test(
    "What an entry for pictures and Firebase is warned of",
    arguments: [
      ([:], []), (["webcam.mode": .string("viewer")], ["webcam.mode"]),
      (["webcam.mode": .string("always")], []), (["webcam.mode": .string("off")], []),
      (["firebase.url": .string("https://db.test")], ["firebase.url"]),
      (["firebase.token": .secret(Secret("k"))], ["firebase.token"]),
      (
        [
          "firebase.url": .string("https://db.test"), "firebase.token": .secret(Secret("k")),
          "webcam.mode": .string("viewer"),
        ], []
      ),
    ] as [([String: SettingValue], [String])])
  func findings(values: [String: SettingValue], keys: [String]) {
    let settings = Settings.written(ReachRelaySettingsTests.paired.merging(values) { $1 })
    let findings = ReachRelayBackend.validate(settings)
    #expect(findings.map(\.key) == keys)
    #expect(findings.allSatisfy { $0.severity == .warning })
  }

  @Test("A database's address that holds a secret is an error that does not repeat it")
  func excess() {
    for url in [
      "https://me:secret@db.test", "https://db.test/?auth=secret", "https://db.test/#secret",
    ] {
      let settings = Settings.written(
        ReachRelaySettingsTests.paired.merging([
          "firebase.url": .string(url), "firebase.token": .secret(Secret("k")),
        ]) { $1 })
      let findings = ReachRelayBackend.validate(settings).filter { $0.severity == .error }
      #expect(findings.map(\.key) == ["firebase.url"])
      #expect(!findings.contains { $0.problem.contains("secret") })
    }
  }

  @Test("What a start would do names the database, and pictures without end")
  func intention() {
    let settings = Settings.written(
      ReachRelaySettingsTests.paired.merging([
        "firebase.url": .string("https://db.test/a"), "firebase.token": .secret(Secret("key")),
        "webcam.mode": .string("always"),
      ]) { $1 })
    #expect(
      ReachRelayBackend.descriptor.intention(settings)
        == "report to relay.example.com with the configured token, and to Firebase at db.test, with pictures all the time"
    )
  }
}
