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

  private static func willing(_ request: HTTPRequest) -> HTTPResponse {
    request.path == claimPath
      ? .ok(["reachLinkToken": "t1", "printerId": "p", "userId": "u"]) : .ok()
  }

  @Test("A code is claimed, stored and retired; then a heartbeat goes out, then a report")
  func pairsAndReports() async throws {
    let bench = TestBench.reach { request, _ in Self.willing(request) }
    try await bench.run(try await bench.backend(Self.code)) {
      let calls = try await bench.transport.requests(atLeast: 3)
      #expect(calls.map(\.path) == [Self.claimPath, Self.heartbeatPath, Self.telemetryPath])
      #expect(calls.map(\.bearerToken) == [nil, "t1", "t1"])
      #expect(calls[1].json["token"] == "t1")
      #expect(calls[1].json["uptime"] == 0)
      #expect(calls[2].json["job"]?["state"] == "idle")
    }
    let stored = bench.identity.identity
    #expect(stored?["token"] == "t1")
    #expect(bench.retired == ["pairing_code"])
    let lines = bench.log.lines
    #expect(!lines.contains { $0.contains("PAIR-0001") || $0.contains("t1") })
    #expect(lines.contains("info reach paired with relay.example.com as printer p"))
  }

  @Test(
    "Under a new pairing no result of the former one leaves; under the same printer's it does",
    arguments: [(nil, false), ("other", false), ("p", true)] as [(String?, Bool)])
  func newPairing(former: String?, isKept: Bool) async throws {
    let bench = TestBench.reach { request, _ in Self.willing(request) }
    if let former {
      try await bench.identity.save([
        "token": "t0", "printer_id": .string(former),
      ])
    }
    for id in ["1", "2"] { await bench.outbox.put(CommandResult.completed(id, [:]).owed()) }
    try await bench.run(try await bench.backend(Self.code)) {
      _ = try await bench.transport.requests(atLeast: 3)
    }
    let rejected = bench.outbox.verdicts.filter { $0.verdict != .accept && $0.verdict != .keep }
    #expect(rejected.map(\.key) == (isKept ? [] : ["1", "2"]))
  }

  @Test("What a claim yielded is stored as soon as that can be done, without a second claim")
  func storesInTheEnd() async throws {
    let bench = TestBench.reach { request, _ throws(NetworkError) in
      .json(200, #"{"reachLinkToken": "t1", "printerId": "p"}"#)
    }
    bench.identity.failSaves(2)
    let backend = try await bench.backend(Self.code)
    try await bench.run(backend) {
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
    let bench = TestBench.reach { request, _ throws(NetworkError) in
      await gate.wait()
      return .json(200, #"{"reachLinkToken": "t1", "printerId": "p"}"#)
    }
    let backend = try await bench.backend(Self.code)
    try await bench.run(backend) {
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
    let bench = TestBench.reach(takesPulls: true) { request, _ in Self.willing(request) }
    try await (try await bench.backend(Self.code)).runOnce()
    for call in bench.transport.requests {
      let fields = Dictionary(
        uniqueKeysWithValues: call.fields.map { ($0.name, $0.value) })
      #expect(call.method == "POST")
      #expect(call.url == "https://relay.example.com" + call.path)
      #expect(fields["Content-Type"] == "application/json")
      #expect(fields["Accept-Encoding"] == "identity")
      #expect(
        fields["User-Agent"] == "reach-link-agent/1.0.12 (printer-uplink/\(Product.version))")
      #expect(fields["Authorization"] == (call.path == Self.claimPath ? nil : "Bearer t1"))
      #expect(call.timeout == .seconds(call.path == RelayEndpoint.pull.path ? 35 : 10))
    }
  }

  @Test("A refused code parks the backend with the relay's words, and is not tried again")
  func refusedCode() async throws {
    let bench = TestBench.reach { _, _ in
      .json(410, #"{"error":"Pairing code PAIR-0001 expired"}"#)
    }
    let backend = try await bench.backend(Self.code)
    await #expect {
      try await backend.run()
    } throws: { error in
      guard let failure = error as? BackendFailure else { return false }
      return failure.action == .park
        && failure.problem
          == "unpaired: relay.example.com refuses the pairing code (status 410: Pairing code … expired)"
    }
    #expect(bench.transport.requests.count == 1)
    #expect(bench.retired.isEmpty)
  }

  @Test("A claim that fails is repeated after a growing pause")
  func repeatedClaim() async throws {
    let bench = TestBench.reach { request, number throws(NetworkError) in
      switch number {
      case 0: throw NetworkError(.connect, "no connection to relay.example.com")
      case 1: HTTPResponse(status: 500)
      case 2: HTTPResponse(status: 429, fields: [HTTPField("Retry-After", "77")])
      default: Self.willing(request)
      }
    }
    let start = bench.time.now
    try await bench.run(try await bench.backend(Self.code)) {
      var pauses: [Duration] = []
      for count in 1...3 {
        _ = try await bench.transport.requests(atLeast: count)
        let due = await bench.nextDeadline()
        pauses.append(bench.time.now.duration(to: due))
        bench.time.advance(to: due)
      }
      #expect(pauses == [.seconds(1), .seconds(2), .seconds(77)])
      _ = try await bench.transport.requests(atLeast: 5)
    }
    #expect(start.duration(to: bench.time.now) == .seconds(80))
  }

  @Test("Nothing to pair with parks the backend")
  func nothing() async throws {
    let bench = TestBench.reach { _, _ throws(NetworkError) in try await ScriptedTransport.silence()
    }
    let backend = try await bench.backend([:])
    await #expect {
      try await backend.run()
    } throws: { ($0 as? BackendFailure)?.action == .park }
    #expect(bench.transport.requests.isEmpty)
  }

  @Test("A stored pairing is used without a claim")
  func storedPairing() async throws {
    let bench = TestBench.reach(identity: Self.paired) { _, _ in .ok() }
    try await bench.run(try await bench.backend([:])) {
      let calls = try await bench.transport.requests(atLeast: 2)
      #expect(calls.map(\.bearerToken) == ["t1", "t1"])
    }
    #expect(bench.health == [.online])
  }

  @Test("Heartbeats and reports go on by the clock, and a change is reported at once")
  func schedule() async throws {
    let bench = TestBench.reach(identity: Self.paired) { _, _ in .ok() }
    try await bench.run(try await bench.backend([:])) {
      _ = try await bench.transport.requests(atLeast: 2)
      bench.time.advance(to: await bench.nextDeadline())
      #expect(bench.time.now.sinceOrigin == .seconds(1_030))
      let calls = try await bench.transport.requests(atLeast: 4)
      #expect(Set(calls.dropFirst(2).map(\.path)) == [Self.heartbeatPath, Self.telemetryPath])
      #expect(calls.first { $0.path == Self.heartbeatPath && $0.json["uptime"] == 30 } != nil)
      bench.time.advance(by: .seconds(2))
      bench.printer.update { $0 = .ready("printing") }
      let more = try await bench.transport.requests(atLeast: 5)
      #expect(more.last?.json["job"]?["state"] == "printing")
    }
  }

  @Test("Values of a Moonraker that has fallen silent are not reported as the printer's")
  func silence() async throws {
    let bench = TestBench.reach(status: .ready("printing"), identity: Self.paired) { _, _ in .ok() }
    try await bench.run(try await bench.backend([:])) {
      let before = try await bench.transport.requests(atLeast: 2)
      #expect(before.last { $0.path == Self.telemetryPath }?.json["job"]?["state"] == "printing")
      bench.printer.freeze()
      bench.time.advance(by: .seconds(20))
      let silent = try await bench.transport.requests(atLeast: 3)
      let report = silent.last { $0.path == Self.telemetryPath }
      #expect(report?.json["job"]?["state"] == "unknown")
      #expect(report?.json["temperatures"]?["nozzle"]?.isNull == true)
    }
  }

  @Test("A rotated token is on the disk before the first call that carries it")
  func rotation() async throws {
    let firstUse = Guarded<Bool?>(nil)
    let bench = TestBench.reach(identity: Self.paired) { _, _ in .ok() }
    let identity = bench.identity
    bench.transport.follow { request, number in
      if request.bearerToken == "t2" {
        let isStored = identity.identity?["token"] == "t2"
        firstUse.withLock { if $0 == nil { $0 = isStored } }
      }
      return number == 0 ? .ok(["rotatedToken": "t2"]) : .ok()
    }
    try await bench.run(try await bench.backend([:])) {
      _ = try await bench.transport.requests(atLeast: 2)
      var calls = bench.transport.requests
      while !calls.contains(where: { $0.bearerToken == "t2" }) {
        bench.time.advance(to: await bench.nextDeadline())
        calls = try await bench.transport.requests(atLeast: calls.count)
        await Task.yield()
        calls = bench.transport.requests
      }
    }
    #expect(firstUse.withLock { $0 } == true)
    #expect(bench.confirmations.first == .seconds(90))
  }

  @Test("A revoked token parks the backend after four calls at most")
  func revoked() async throws {
    let bench = TestBench.reach(identity: Self.paired) { _, _ in HTTPResponse(status: 401) }
    let backend = try await bench.backend([:])
    let task = Task { try await backend.run() }
    _ = try await bench.transport.requests(atLeast: 1)
    bench.time.advance(to: await bench.nextDeadline())
    await #expect {
      try await task.value
    } throws: {
      guard let failure = $0 as? BackendFailure else { return false }
      return failure.action == .park
        && failure.problem == "relay.example.com has revoked this printer's token"
    }
    #expect(bench.transport.requests.count <= 4)
  }

  @Test("A relay that never answers does not keep the backend from ending")
  func cancellation() async throws {
    for values in [[:], Self.code] {
      let bench = TestBench.reach(identity: values.isEmpty ? Self.paired : nil) {
        _, _ throws(NetworkError) in try await ScriptedTransport.silence()
      }
      try await bench.run(try await bench.backend(values)) {
        _ = try await bench.transport.requests(atLeast: 1)
        guard !values.isEmpty else { return }
        // A claim under way has this long to be finished.
        Task {
          await bench.time.sleepers(atLeast: 1)
          bench.time.advance(by: BackendContext.finishingTime)
        }
      }
    }
  }

  @Test("A loss of Klippy reports unknown values as null, never old ones")
  func loss() async throws {
    let bench = TestBench.reach(
      status: .ready("printing", nozzleTarget: 200), identity: Self.paired
    ) { _, _ in .ok() }
    try await bench.run(try await bench.backend([:])) {
      _ = try await bench.transport.requests(atLeast: 2)
      bench.time.advance(by: .seconds(2))
      bench.printer.update {
        $0.klippy = .disconnected
        $0.isCurrent = false
      }
      let last = try await bench.transport.requests(atLeast: 3).last
      #expect(last?.json["job"]?["state"] == "unknown")
      #expect(last?.json["temperatures"]?["nozzle"]?.isNull == true)
    }
  }
}
