import ConnectorKit
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Supervision of several backends") struct SupervisionReloadTests {
  private let time = ManualTime()
  private let sink = RecordingSink()
  private let starts = Guarded<[String]>([])

  private func supervision(
    stubborn: Set<String> = [], gate: Gate = Gate()
  ) -> Supervision {
    Supervision(time: time, sink: sink, random: { 0.5 }) { [starts] entry in
      { report in
        starts.withLock { $0.append(entry.name) }
        report(.online)
        if stubborn.contains(entry.name) { return await gate.wait() }
        try await forever()
      }
    }
  }

  private func states(_ supervision: Supervision) -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: supervision.members.map {
        ($0.configuration.name, $0.standing.state.name)
      })
  }

  private func online(_ supervision: Supervision, _ names: Set<String>) async {
    await until {
      Set(states(supervision).filter { $0.value == "online" }.keys) == names
    }
  }

  @Test("Only what changed restarts; a disabled entry does not run")
  func difference() async {
    let supervision = supervision()
    supervision.reconcile(with: [
      backendEntry("a"), backendEntry("b"), backendEntry("c", isEnabled: false),
    ])
    await online(supervision, ["a", "b"])
    #expect(states(supervision)["c"] == "disabled")
    let changes = supervision.reconcile(with: [
      backendEntry("a", ["url": ("https://other.test", 3)]), backendEntry("b"),
      backendEntry("c", isEnabled: false),
      backendEntry("d"),
    ])
    #expect(changes.restarted == ["a"])
    #expect(changes.added == ["d"])
    await online(supervision, ["a", "b", "d"])
    await until { starts.withLock { $0.count } == 4 }
    #expect(starts.withLock { $0.filter { $0 == "b" } } == ["b"])
    let removal = supervision.reconcile(with: [backendEntry("b")])
    #expect(removal.removed == ["a", "c", "d"])
    await supervision.stop(grace: .seconds(2))
    #expect(states(supervision) == ["b": "stopped"])
    #expect(supervision.reconcile(with: [backendEntry("z")]).isEmpty)
  }

  @Test("A new place in the file, new permissions or another log level restart nothing")
  func liveChanges() async {
    let supervision = supervision()
    supervision.reconcile(with: [backendEntry("a", ["url": ("https://x.test", 3)])])
    await online(supervision, ["a"])
    let moved = supervision.reconcile(with: [backendEntry("a", ["url": ("https://x.test", 9)])])
    #expect(moved.isEmpty)
    var wider = backendEntry("a", ["url": ("https://x.test", 9)])
    wider.permissions = PermissionLevel.full.permissions
    wider.logLevel = .trace
    #expect(supervision.reconcile(with: [wider]).live == ["a"])
    #expect(supervision.members.first?.configuration.permissions == wider.permissions)
    #expect(starts.withLock { $0 } == ["a"])
    await supervision.stop(grace: .seconds(1))
  }

  @Test("A spent token that left the file is no change; a new token is one")
  func spentToken() async {
    let supervision = supervision()
    supervision.reconcile(with: [backendEntry("a", secrets: ["token": "old"])])
    await online(supervision, ["a"])
    let spent: (String) -> Set<String> = { _ in ["token"] }
    #expect(supervision.reconcile(with: [backendEntry("a")], retired: spent).isEmpty)
    let renewed = [backendEntry("a", secrets: ["token": "new"])]
    #expect(supervision.reconcile(with: renewed, retired: spent).restarted == ["a"])
    await supervision.stop(grace: .seconds(1))
  }

  @Test("Enabling starts and disabling ends a backend")
  func enabling() async {
    let supervision = supervision()
    supervision.reconcile(with: [backendEntry("a", isEnabled: false)])
    supervision.reconcile(with: [backendEntry("a")])
    await online(supervision, ["a"])
    supervision.reconcile(with: [backendEntry("a", isEnabled: false)])
    #expect(states(supervision) == ["a": "disabled"])
    await supervision.stop(grace: .seconds(1))
  }

  @Test(
    "A backend that does not end delays neither the others' end nor the daemon's beyond its time")
  func stubbornNeighbour() async {
    let gate = Gate()
    let supervision = supervision(stubborn: ["b"], gate: gate)
    supervision.reconcile(with: [backendEntry("a"), backendEntry("b"), backendEntry("c")])
    await online(supervision, ["a", "b", "c"])
    let begin = time.now
    async let end: Void = supervision.stop(grace: .seconds(2))
    await until { states(supervision).filter { $0.value == "stopped" }.count == 2 }
    await until { !time.deadlines.isEmpty }
    await time.advanceToNextDeadline()
    await end
    #expect(begin.duration(to: time.now) == .seconds(2))
    #expect(Set(states(supervision).values) == ["stopped"])
    gate.open()
  }

  @Test("An entry that comes back waits for the end of its former run")
  func comesBack() async {
    let gate = Gate()
    let supervision = supervision(stubborn: ["a"], gate: gate)
    supervision.reconcile(with: [backendEntry("a")])
    await online(supervision, ["a"])
    supervision.reconcile(with: [])
    supervision.reconcile(with: [backendEntry("a")])
    await time.advanceToNextDeadline()
    await until { states(supervision) == ["a": "parked"] }
    #expect(starts.withLock { $0 } == ["a"])
    gate.open()
    await until { starts.withLock { $0 } == ["a", "a"] }
    await supervision.stop(grace: .seconds(1))
  }
}

/// An entry of a connector that nobody starts.
func backendEntry(
  _ name: String, _ texts: [String: (String, Int)] = [:], secrets: [String: String] = [:],
  isEnabled: Bool = true
) -> BackendConfiguration {
  var entries = texts.mapValues {
    Settings.Entry(
      value: .string($0.0), origin: .file(line: $0.1, column: 5, isLiteral: true))
  }
  for (key, secret) in secrets {
    entries[key] = Settings.Entry(
      value: .secret(Secret(secret)), origin: .file(line: 7, column: 5, isLiteral: true))
  }
  return BackendConfiguration(
    connector: IdleConnector.self, name: name, isEnabled: isEnabled,
    permissions: PermissionLevel.print.permissions, permissionsText: "print", allowedMacros: [],
    allowedGcodePatterns: [], maximumCommandAge: .seconds(120), isInsecure: false, logLevel: nil,
    settings: Settings(entries), line: 1)
}

/// A connector that does nothing until it is cancelled.
struct IdleConnector: ConnectorBackend {
  static let url = Setting<String?>.optionalURL("url", "Where.")
  static let token = Setting<Secret?>.secret("token", "Once.")
  static let allowed = Setting<[String]>.stringList("files.allowed", "Which.")
  static let descriptor = ConnectorDescriptor(
    type: "idle", title: "Idle", summary: "Does nothing.",
    settings: [url.declaration, token.declaration, allowed.declaration], reads: StatusInterest(),
    minimalExample: "type: idle", intention: { _ in "would do nothing" })
  init(settings: Settings, context: BackendContext) async throws {}
  func run() async throws { try await forever() }
  func runOnce() async throws {}
}
