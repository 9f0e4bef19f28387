import ConnectorKit
import JSON
import Networking
import TestSupport
import Testing

@testable import ReachRelay

@Suite("Reach: one round, and the probe", .timeLimit(.minutes(1))) struct ReachOnceTests {
  private static let paired: JSONObject = ["token": "t1", "printer_id": "p"]
  private static let rotating: JSONObject = [
    "token": "t2", "printer_id": "p", "previous_token": "t1",
  ]

  private static func bench(
    status: PrinterStatus = .ready("standby"), identity: JSONObject? = ReachOnceTests.paired,
    _ script: @escaping ScriptedTransport.Script
  ) -> TestBench {
    TestBench.reach(status: status, identity: identity, takesPulls: true, script)
  }

  private static func paths(_ bench: TestBench) -> [String] {
    bench.transport.requests.map(\.path)
  }

  private static let heartbeat = RelayEndpoint.heartbeat.path
  private static let telemetry = RelayEndpoint.telemetry.path
  private static let pull = RelayEndpoint.pull.path
  private static let push = RelayEndpoint.push.path

  // MARK: One round

  @Test("One round is a heartbeat, a report and a pull, with a token that is rotated in between")
  func once() async throws {
    let bench = Self.bench(status: .away()) { _, number in
      number == 0 ? .ok(["rotatedToken": "t2"]) : .ok()
    }
    try await (try await bench.backend([:])).runOnce()
    #expect(Self.paths(bench) == [Self.heartbeat, Self.telemetry, Self.pull])
    #expect(bench.transport.requests.map(\.bearerToken) == ["t1", "t2", "t2"])
    #expect(bench.transport.requests[1].json["token"] == "t2")
    #expect(bench.transport.requests[1].json["job"]?["state"] == "unknown")
    #expect(bench.identity.identity == ["token": "t2", "printer_id": "p"])
  }

  @Test("Between the rotation and the new token's first success the disk holds both")
  func both() async throws {
    let bench = Self.bench { request, number in
      number == 0 ? .ok(["rotatedToken": "t2"]) : HTTPResponse(status: 500)
    }
    let backend = try await bench.backend([:])
    await #expect(throws: BackendFailure.self) { try await backend.runOnce() }
    #expect(bench.identity.identity == Self.rotating)
  }

  @Test("One round falls back to the former token once, whether it came now or with a former run")
  func fallsBack() async throws {
    for (identity, bearers) in [
      (Self.paired, ["t1", "t2", "t1", "t1"]), (Self.rotating, ["t2", "t1", "t1", "t1"]),
    ] {
      let bench = Self.bench(identity: identity) { request, number in
        request.bearerToken == "t2"
          ? HTTPResponse(status: 401)
          : number == 0 ? .ok(["rotatedToken": "t2"]) : .ok()
      }
      try await (try await bench.backend([:])).runOnce()
      #expect(bench.transport.requests.map(\.bearerToken) == bearers)
      #expect(bench.identity.identity == Self.paired)
    }
  }

  @Test("What a pull brings is executed, and pushed behind what was owed before")
  func command() async throws {
    let bench = Self.bench { request, _ in
      request.path == Self.pull
        ? .ok(["command": ["requestId": "r1", "command": "printer.print.pause"]]) : .ok()
    }
    await bench.outbox.put(CommandResult.completed("r0", ["result": "ok"]).owed())
    try await (try await bench.backend([:])).runOnce()
    let pushes = bench.transport.requests.filter { $0.path == Self.push }.map(\.json)
    #expect(
      pushes == [
        ["printerId": "p", "requestId": "r0", "status": "completed", "result": ["result": "ok"]],
        ["printerId": "p", "requestId": "r1", "status": "completed", "result": ["result": "ok"]],
      ])
    #expect(bench.outbox.entries.isEmpty)
    #expect(bench.gateway.contacts.count == 1)
  }

  @Test(
    "What becomes of a result that the relay does not simply take",
    arguments: [
      (409, OutboxVerdict.accept, 1), (404, .reject("status 404"), 1),
      (400, .reject("status 400"), 1), (413, .reject("status 413"), 2), (500, .keep, 1),
      (403, .keep, 1),
    ])
  func push(status: Int, verdict: OutboxVerdict, pushes: Int) async throws {
    let bench = Self.bench { request, _ in
      request.path == Self.push ? HTTPResponse(status: status) : .ok()
    }
    await bench.outbox.put(CommandResult.completed("r0", ["result": "ok"]).owed())
    let backend = try await bench.backend([:])
    if verdict == .keep {
      await #expect(throws: BackendFailure.self) { try await backend.runOnce() }
    } else {
      try await backend.runOnce()
    }
    #expect(bench.outbox.verdicts.map(\.verdict) == [verdict])
    #expect(Self.paths(bench).count { $0 == Self.push } == pushes)
  }

  @Test("A result that is older than ten minutes is not pushed")
  func old() async throws {
    let bench = Self.bench { _, _ in .ok() }
    await bench.outbox.put(CommandResult.completed("old", ["result": "ok"]).owed(), isFresh: false)
    bench.time.advance(by: .seconds(601))
    try await (try await bench.backend([:])).runOnce()
    #expect(!Self.paths(bench).contains(Self.push))
    #expect(bench.outbox.verdicts.map(\.verdict) == [.reject("older than 10 minutes")])
  }

  @Test("A printer that was deleted in the dashboard is answered and forgotten")
  func deleted() async throws {
    let bench = Self.bench { request, _ in
      request.path == Self.pull
        ? .ok(["command": ["requestId": "r1", "command": "system.uninstall"]]) : .ok()
    }
    let backend = try await bench.backend([:])
    await #expect {
      try await backend.runOnce()
    } throws: { ($0 as? BackendFailure)?.action == .park }
    #expect(bench.identity.identity == nil)
    #expect(bench.transport.requests.last?.json["status"] == "completed")
  }

  @Test(
    "One round that fails says what to do",
    arguments: [
      (HTTPResponse(status: 401), BackendFailure.Action.park),
      (HTTPResponse(status: 500), .retry(after: nil)),
      (
        HTTPResponse(status: 503, fields: [HTTPField("Retry-After", "9")]),
        .retry(after: .seconds(9))
      ),
    ])
  func onceFails(response: HTTPResponse, action: BackendFailure.Action) async throws {
    let bench = Self.bench { _, _ in response }
    let backend = try await bench.backend([:])
    await #expect {
      try await backend.runOnce()
    } throws: { ($0 as? BackendFailure)?.action == action }
    #expect(bench.transport.requests.count == 1)
  }

  // MARK: The probe

  private func probe(_ bench: TestBench) async throws -> ProbeReport? {
    try await ReachRelayBackend.probe(
      settings: .written([
        "relay": .string("https://relay.example.com"), "printer_ip": .string("192.0.2.10"),
      ]),
      context: bench.context("reach"))
  }

  @Test("A probe is one heartbeat, and keeps a token that is rotated with it")
  func probing() async throws {
    let bench = Self.bench { _, _ in .ok(["rotatedToken": "t2"]) }
    let report = try #require(try await probe(bench))
    #expect(report.isHealthy)
    #expect(report.summary == "relay.example.com answers, and knows printer p")
    #expect(Self.paths(bench) == [Self.heartbeat])
    #expect(bench.identity.identity == Self.rotating)
    #expect(bench.health.isEmpty)
  }

  @Test("A probe with a refused token tries the former one, and keeps what the relay takes")
  func probingBack() async throws {
    let bench = Self.bench(identity: Self.rotating) { request, _ in
      request.bearerToken == "t1" ? .ok() : HTTPResponse(status: 401)
    }
    #expect(try await probe(bench)?.isHealthy == true)
    #expect(bench.identity.identity == Self.paired)
  }

  @Test(
    "A probe says what is wrong, and changes nothing",
    arguments: [
      (HTTPResponse(status: 401), "heartbeat: relay.example.com does not accept the token; "),
      (HTTPResponse(status: 403), "heartbeat: relay.example.com refuses this printer (status 403"),
      (HTTPResponse(status: 500), "heartbeat: relay.example.com answers with status 500; "),
    ])
  func probingFails(response: HTTPResponse, summary: String) async throws {
    let bench = Self.bench(identity: Self.rotating) { _, _ in response }
    let report = try #require(try await probe(bench))
    #expect(!report.isHealthy)
    #expect(report.summary.hasPrefix(summary), "\(report.summary)")
    #expect(!report.summary.contains("t1") && !report.summary.contains("t2"))
    #expect(bench.identity.saves == 0)
  }

  @Test("Without a pairing a probe sends nothing, and spends no code")
  func probingUnpaired() async throws {
    let bench = Self.bench(identity: nil) { _, _ in .ok() }
    let report = try #require(try await probe(bench))
    #expect(!report.isHealthy)
    #expect(report.summary == "not paired with relay.example.com yet")
    #expect(bench.transport.requests.isEmpty)
  }
}
