import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import ReachRelay

@Suite("Reach backend", .timeLimit(.minutes(1))) struct ReachRelayBackendTests {
  private static let claimPath = "/api/reach-link/pairing/claim"
  private static let heartbeatPath = "/api/reach-link/register"
  private static let telemetryPath = "/api/reach-link/printer-data"
  private static let code: [String: SettingValue] = ["pairing_code": .secret(Secret("PAIR-0001"))]
  private static let paired: JSONObject = ["token": "t1", "printer_id": "p"]

  /// Runs `body` beside the running backend and then ends it.
  private static func running(
    _ backend: ReachRelayBackend, _ body: () async throws -> Void
  ) async throws {
    let task = Task { try await backend.run() }
    try await body()
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  private static func willing(_ exchange: ScriptedRelay.Exchange) -> HTTPResponse {
    exchange.path == claimPath
      ? .ok(["reachLinkToken": "t1", "printerId": "p", "userId": "u"]) : .ok()
  }

  @Test("A code is claimed, stored and retired; then a heartbeat goes out, then a report")
  func pairsAndReports() async throws {
    let rig = BackendRig(ScriptedRelay { exchange, _ in .success(Self.willing(exchange)) })
    try await Self.running(try await rig.backend(Self.code)) {
      let calls = await rig.relay.exchanges(atLeast: 3)
      #expect(calls.map(\.path) == [Self.claimPath, Self.heartbeatPath, Self.telemetryPath])
      #expect(calls.map(\.token) == [nil, "t1", "t1"])
      #expect(calls[1].body["token"] == "t1")
      #expect(calls[1].body["uptime"] == 0)
      #expect(calls[2].body["job"]?["state"] == "idle")
    }
    let stored = rig.identity.state.withLock { $0.identity }
    #expect(stored?["token"] == "t1")
    #expect(rig.retired.withLock { $0 } == ["pairing_code"])
    let lines = rig.sink.lines.withLock { $0 }
    #expect(!lines.contains { $0.contains("PAIR-0001") || $0.contains("t1") })
    #expect(lines.contains("paired with relay.example.com as printer p"))
  }

  @Test("What a claim yielded is stored as soon as that can be done, without a second claim")
  func storesInTheEnd() async throws {
    let bench = TestBench { request, _ throws(NetworkError) in
      .json(200, #"{"reachLinkToken": "t1", "printerId": "p"}"#)
    }
    bench.identity.failSaves(2)
    let settings = ReachRelaySettingsTests.settings(
      ["relay": .string("https://relay.example.com")].merging(Self.code) { $1 })
    let backend = try await ReachRelayBackend(settings: settings, context: bench.context())
    try await Self.running(backend) {
      for _ in 0..<2 {
        await bench.time.sleepers(atLeast: 1)
        bench.time.advance(by: .seconds(60))
      }
      await until { bench.transport.requests.count >= 2 }
    }
    let claims = bench.transport.requests.filter { $0.url.hasSuffix(Self.claimPath) }
    #expect(claims.count == 1)
    #expect(bench.identity.identity?["token"] == "t1")
    #expect(bench.retired == ["pairing_code"])
  }

  @Test("A claim under way when the end comes is finished and stored")
  func endsInMidClaim() async throws {
    let gate = Gate()
    let bench = TestBench { request, _ throws(NetworkError) in
      await gate.wait()
      return .json(200, #"{"reachLinkToken": "t1", "printerId": "p"}"#)
    }
    let settings = ReachRelaySettingsTests.settings(
      ["relay": .string("https://relay.example.com")].merging(Self.code) { $1 })
    let backend = try await ReachRelayBackend(settings: settings, context: bench.context())
    try await Self.running(backend) {
      await until { bench.transport.requests.count == 1 }
      Task {
        await bench.time.sleepers(atLeast: 1)
        gate.open()
      }
    }
    #expect(bench.identity.identity?["token"] == "t1")
  }

  @Test("Every call carries the fields of the protocol and goes where the relay is")
  func fields() async throws {
    let rig = BackendRig(ScriptedRelay { exchange, _ in .success(Self.willing(exchange)) })
    try await (try await rig.backend(Self.code)).runOnce()
    for call in rig.relay.exchanges {
      let fields = Dictionary(
        uniqueKeysWithValues: call.request.fields.map { ($0.name, $0.value) })
      #expect(call.request.method == "POST")
      #expect(call.request.url == "https://relay.example.com" + call.path)
      #expect(fields["Content-Type"] == "application/json")
      #expect(fields["Accept-Encoding"] == "identity")
      #expect(
        fields["User-Agent"] == "reach-link-agent/1.0.12 (printer-uplink/\(Product.version))")
      #expect(fields["Authorization"] == (call.path == Self.claimPath ? nil : "Bearer t1"))
      #expect(call.request.timeout == .seconds(10))
    }
  }

  @Test("A refused code parks the backend with the relay's words, and is not tried again")
  func refusedCode() async throws {
    let rig = BackendRig(
      ScriptedRelay { _, _ in
        .success(
          HTTPResponse(
            status: 410, body: Array(#"{"error":"Pairing code PAIR-0001 expired"}"#.utf8)))
      })
    let backend = try await rig.backend(Self.code)
    await #expect {
      try await backend.run()
    } throws: { error in
      guard let failure = error as? BackendFailure else { return false }
      return failure.action == .park
        && failure.problem
          == "unpaired: relay.example.com refuses the pairing code (status 410: Pairing code <secret> expired)"
    }
    #expect(rig.relay.exchanges.count == 1)
    #expect(rig.retired.withLock { $0 }.isEmpty)
  }

  @Test("A claim that fails is repeated after a growing pause")
  func repeatedClaim() async throws {
    let rig = BackendRig(
      ScriptedRelay { exchange, number in
        switch number {
        case 0: .failure(NetworkError(.connect, "no connection to relay.example.com"))
        case 1: .success(HTTPResponse(status: 500))
        case 2: .success(HTTPResponse(status: 429, fields: [HTTPField("Retry-After", "77")]))
        default: .success(Self.willing(exchange))
        }
      })
    let start = rig.time.now
    try await Self.running(try await rig.backend(Self.code)) {
      var pauses: [Duration] = []
      for count in 1...3 {
        _ = await rig.relay.exchanges(atLeast: count)
        let due = await rig.time.nextDeadline()
        pauses.append(rig.time.now.duration(to: due))
        rig.time.advance(to: due)
      }
      #expect(pauses == [.seconds(1), .seconds(2), .seconds(77)])
      _ = await rig.relay.exchanges(atLeast: 5)
    }
    #expect(start.duration(to: rig.time.now) == .seconds(80))
  }

  @Test("Nothing to pair with parks the backend")
  func nothing() async throws {
    let rig = BackendRig(ScriptedRelay { _, _ in nil })
    let backend = try await rig.backend([:])
    await #expect {
      try await backend.run()
    } throws: { ($0 as? BackendFailure)?.action == .park }
    #expect(rig.relay.exchanges.isEmpty)
  }

  @Test("A stored pairing is used without a claim")
  func storedPairing() async throws {
    let rig = BackendRig(ScriptedRelay { _, _ in .success(.ok()) }, identity: Self.paired)
    try await Self.running(try await rig.backend([:])) {
      #expect(await rig.relay.exchanges(atLeast: 2).map(\.token) == ["t1", "t1"])
    }
    #expect(rig.healths.withLock { $0 } == [.online])
  }

  @Test("Heartbeats and reports go on by the clock, and a change is reported at once")
  func schedule() async throws {
    let rig = BackendRig(ScriptedRelay { _, _ in .success(.ok()) }, identity: Self.paired)
    try await Self.running(try await rig.backend([:])) {
      _ = await rig.relay.exchanges(atLeast: 2)
      rig.time.advance(to: await rig.time.nextDeadline())
      #expect(rig.time.now.sinceOrigin == .seconds(1_030))
      let calls = await rig.relay.exchanges(atLeast: 4)
      #expect(Set(calls.dropFirst(2).map(\.path)) == [Self.heartbeatPath, Self.telemetryPath])
      #expect(calls.first { $0.path == Self.heartbeatPath && $0.body["uptime"] == 30 } != nil)
      rig.time.advance(by: .seconds(2))
      rig.printer.change { $0 = .ready("printing") }
      let more = await rig.relay.exchanges(atLeast: 5)
      #expect(more.last?.body["job"]?["state"] == "printing")
    }
  }

  @Test("A rotated token is on the disk before the first call that carries it")
  func rotation() async throws {
    let identity = MemoryIdentity(Self.paired)
    let firstUse = Guarded<Bool?>(nil)
    let relay = ScriptedRelay { exchange, number in
      if exchange.token == "t2" {
        let isStored = identity.state.withLock { $0.identity?["token"] == "t2" }
        firstUse.withLock { if $0 == nil { $0 = isStored } }
      }
      return .success(number == 0 ? .ok(["rotatedToken": "t2"]) : .ok())
    }
    let rig = BackendRig(relay)
    var context = rig.context
    context.identity = identity
    let backend = try await ReachRelayBackend(
      settings: ReachRelaySettingsTests.settings([
        "relay": .string("https://relay.example.com"), "printer_ip": .string("192.0.2.10"),
      ]), context: context)
    try await Self.running(backend) {
      _ = await rig.relay.exchanges(atLeast: 2)
      var calls = rig.relay.exchanges
      while !calls.contains(where: { $0.token == "t2" }) {
        await rig.time.advanceToNextDeadline()
        calls = await rig.relay.exchanges(atLeast: calls.count)
        await Task.yield()
        calls = rig.relay.exchanges
      }
    }
    #expect(firstUse.withLock { $0 } == true)
  }

  @Test("A revoked token parks the backend after four calls at most")
  func revoked() async throws {
    let rig = BackendRig(
      ScriptedRelay { _, _ in .success(HTTPResponse(status: 401)) }, identity: Self.paired)
    let backend = try await rig.backend([:])
    let task = Task { try await backend.run() }
    _ = await rig.relay.exchanges(atLeast: 1)
    await rig.time.advanceToNextDeadline()
    await #expect {
      try await task.value
    } throws: {
      guard let failure = $0 as? BackendFailure else { return false }
      return failure.action == .park
        && failure.problem == "relay.example.com has revoked this printer's token"
    }
    #expect(rig.relay.exchanges.count <= 4)
  }

  @Test("A relay that never answers does not keep the backend from ending")
  func cancellation() async throws {
    for values in [[:], Self.code] {
      let rig = BackendRig(
        ScriptedRelay { _, _ in nil }, identity: values.isEmpty ? Self.paired : nil)
      try await Self.running(try await rig.backend(values)) {
        _ = await rig.relay.exchanges(atLeast: 1)
        guard !values.isEmpty else { return }
        // A claim under way has this long to be finished.
        Task {
          await rig.time.sleepers(atLeast: 1)
          rig.time.advance(by: BackendContext.finishingTime)
        }
      }
    }
  }

  @Test("One round is a heartbeat and a report, with a token that is rotated in between")
  func once() async throws {
    let rig = BackendRig(
      ScriptedRelay { _, number in .success(number == 0 ? .ok(["rotatedToken": "t2"]) : .ok()) },
      status: .away(), identity: Self.paired)
    try await (try await rig.backend([:])).runOnce()
    #expect(rig.relay.exchanges.map(\.path) == [Self.heartbeatPath, Self.telemetryPath])
    #expect(rig.relay.exchanges.map(\.token) == ["t1", "t2"])
    #expect(rig.relay.exchanges.last?.body["token"] == "t2")
    #expect(rig.relay.exchanges.last?.body["job"]?["state"] == "unknown")
    #expect(rig.identity.state.withLock { $0.identity?["token"] } == "t2")
  }

  @Test("One round falls back to the former token once")
  func onceFallsBack() async throws {
    let rig = BackendRig(
      ScriptedRelay { exchange, number in
        exchange.token == "t2"
          ? .success(HTTPResponse(status: 401))
          : .success(number == 0 ? .ok(["rotatedToken": "t2"]) : .ok())
      }, identity: Self.paired)
    try await (try await rig.backend([:])).runOnce()
    #expect(rig.relay.exchanges.map(\.token) == ["t1", "t2", "t1"])
    #expect(rig.relay.exchanges.last?.body["token"] == "t1")
    #expect(rig.identity.state.withLock { $0.identity?["token"] } == "t1")
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
    let rig = BackendRig(ScriptedRelay { _, _ in .success(response) }, identity: Self.paired)
    let backend = try await rig.backend([:])
    await #expect {
      try await backend.runOnce()
    } throws: { ($0 as? BackendFailure)?.action == action }
    #expect(rig.relay.exchanges.count == 1)
  }

  @Test("A loss of Klippy reports unknown values as null, never old ones")
  func loss() async throws {
    let rig = BackendRig(
      ScriptedRelay { _, _ in .success(.ok()) }, status: .ready("printing", nozzleTarget: 200),
      identity: Self.paired)
    try await Self.running(try await rig.backend([:])) {
      _ = await rig.relay.exchanges(atLeast: 2)
      rig.time.advance(by: .seconds(2))
      rig.printer.change {
        $0.klippy = .disconnected
        $0.isCurrent = false
      }
      let last = await rig.relay.exchanges(atLeast: 3).last
      #expect(last?.body["job"]?["state"] == "unknown")
      #expect(last?.body["temperatures"]?["nozzle"]?.isNull == true)
    }
  }
}
