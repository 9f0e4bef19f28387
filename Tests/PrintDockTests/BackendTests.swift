import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PrintDock

private let paired: JSONObject = [
  "connector_id": "46", "connector_secret": "c_dummy_secret", "printer_id": 262,
  "snapshots_seconds": 30,
]
private let registration = """
  {"connector":{"id":46},"credentials":{"secret":"c_dummy_secret"},
   "printers":[{"id":262,"name":"Voron"}],"polling":{"commands_seconds":3,"snapshots_seconds":30}}
  """

/// A cloud that takes everything.
@Sendable private func friendly(
  _ request: HTTPRequest, _ number: Int
) async throws(NetworkError) -> HTTPResponse {
  switch request.kind {
  case "register": .json(200, registration)
  case "heartbeat": .json(200, #"{"status":"ok"}"#)
  case "commands", "webcam_requests": .json(200, "[]")
  default: .json(200, #"{"inserted":1}"#)
  }
}

extension HTTPRequest {
  /// The last word of the path: register, heartbeat, batch.
  fileprivate var kind: String { path.split(separator: "/").last.map(String.init) ?? "" }
}

extension TestBench {
  fileprivate func count(_ kind: String) -> Int { transport.requests.count { $0.kind == kind } }

  fileprivate func last(_ kind: String) -> HTTPRequest? {
    transport.requests.last { $0.kind == kind }
  }

  /// Runs the backend, which fetches no commands, while `body` plays with it, then cancels it and waits for its end.
  fileprivate func run(
    _ settings: Settings = PrintDockFixture.settings(), _ body: () async throws -> Void
  ) async throws {
    var settings = settings
    settings.entries["poll_commands_seconds"] = Settings.Entry(
      value: .duration(.seconds(3_600)), origin: .file(line: 1, column: 1, isLiteral: true))
    try await run(
      PrintDockBackend(settings: settings, context: context("printdock")), body)
  }

  /// Moves the clock from deadline to deadline, until `moment` after the start.
  fileprivate func play(until moment: Duration, of start: MonotonicInstant) async {
    let end = start.advanced(by: moment)
    while true {
      // Pairing asks for the host's address on a thread of its own: the loops are there when all sleep.
      await time.sleepers(atLeast: 5)
      await executor.idle()
      guard let next = time.deadlines.first, next <= end else { break }
      time.advance(to: next)
    }
    time.advance(to: end)
    await executor.idle()
  }
}

@Suite("The PrintDock backend", .timeLimit(.minutes(2))) struct BackendTests {
  @Test("It pairs, stores before anything else, and uses the credentials at once")
  func pairs() async throws {
    let bench = TestBench(friendly)
    bench.printer.come()
    try await bench.run(PrintDockFixture.settings(token: "PAIR_dummy_1")) {
      await until { bench.count("heartbeat") == 1 }
      await bench.time.sleepers(atLeast: 5)
    }
    let register = try #require(bench.transport.requests.first)
    #expect(register.method == "POST")
    #expect(register.url == "https://www.spoolr.io/api/v1/connectors/register")
    #expect(register.json["pairing_token"] == "PAIR_dummy_1")
    #expect(register.json["printers"]?.array?.first?["name"] == "Voron")
    #expect(register[field: "Authorization"] == nil)
    #expect(register[field: "X-Connector-Id"] == nil)

    #expect(bench.identity.identity?["connector_id"] == "46")
    #expect(bench.identity.identity?["connector_secret"] == "c_dummy_secret")
    #expect(bench.identity.identity?["printer_id"] == 262)
    #expect(bench.identity.identity?["token_sha256"]?.string?.count == 64)
    #expect(bench.retired == ["pairing_token"])

    let heartbeat = try #require(bench.last("heartbeat"))
    #expect(heartbeat.url == "https://www.spoolr.io/api/v1/connectors/46/heartbeat")
    #expect(heartbeat[field: "Authorization"] == "Bearer c_dummy_secret")
    #expect(heartbeat[field: "X-Connector-Id"] == "46")
    #expect(heartbeat.json["printers"] == [["printer_id": 262, "reachable": true]])
    #expect(bench.health == [.online])
    for line in bench.log.lines {
      #expect(!line.contains("PAIR_dummy_1") && !line.contains("c_dummy_secret"))
    }
  }

  @Test("Every call has the headers that PrintDock checks, and no others")
  func headers() async throws {
    let bench = TestBench(friendly)
    bench.printer.come()
    let start = bench.time.now
    try await bench.run(PrintDockFixture.settings(token: "PAIR_dummy_1")) {
      await bench.play(until: .seconds(31), of: start)
    }
    for request in bench.transport.requests {
      var names = ["Accept", "User-Agent", "Content-Type"]
      if request.kind != "register" { names += ["Authorization", "X-Connector-Id"] }
      #expect(request.fields.map(\.name) == names)
      #expect(request[field: "Accept"] == "application/json")
      #expect(request[field: "Content-Type"] == "application/json")
      #expect(request[field: "User-Agent"] == "printer-uplink/\(Product.version)")
      #expect(request.acceptsCompression)
      #expect(request.timeout == .seconds(5))
    }
    #expect(bench.count("batch") > 0)
  }

  @Test("Ids go into the path as one escaped segment, after a prefix of the cloud's own")
  func paths() async throws {
    var identity = paired
    identity["connector_id"] = "a/b?c"
    let bench = TestBench(identity: identity, friendly)
    bench.printer.come()
    let settings = PrintDockFixture.settings(extra: ["cloud_url": .string("http://[::1]:80/x//")])
    try await bench.run(settings) { await until { bench.count("heartbeat") == 1 } }
    #expect(
      bench.last("heartbeat")?.url == "http://[::1]:80/x/api/v1/connectors/a%2Fb%3Fc/heartbeat")
  }

  @Test("Over five minutes: a heartbeat each 10 s, a snapshot each 30 s, and nothing else")
  func steady() async throws {
    let bench = TestBench(identity: paired, friendly)
    bench.printer.come()
    let start = bench.time.now
    try await bench.run { await bench.play(until: .seconds(299), of: start) }
    #expect(bench.count("heartbeat") == 30)
    #expect(bench.count("batch") == 10)
    #expect(bench.transport.requests.count == 40)
    #expect(bench.health == [.online])
    #expect(bench.last("heartbeat")?.json["status"]?["uptime_seconds"] == 290)
  }

  @Test("A change of the print's state is shown at once; two within two seconds share one snapshot")
  func stateChanges() async throws {
    let bench = TestBench(identity: paired, friendly)
    bench.printer.come()
    let start = bench.time.now
    func state() -> JSONValue? {
      bench.last("batch")?.json["snapshots"]?.array?.first?["payload"]?["result"]?["status"]?[
        "print_stats"]?["state"]
    }
    try await bench.run {
      await bench.play(until: .seconds(16), of: start)
      #expect(bench.count("batch") == 1)
      bench.printer.print("printing")
      await until { bench.count("batch") == 2 }
      #expect(state() == "printing")
      await bench.executor.idle()
      bench.printer.print("paused")
      bench.printer.print("cancelled")
      await until { bench.time.deadlines.contains(bench.time.now.advanced(by: .seconds(2))) }
      #expect(bench.count("batch") == 2)
      bench.time.advance(by: .seconds(2))
      await until { bench.count("batch") == 3 }
      #expect(state() == "cancelled")
    }
  }

  @Test("Updates without a new state wake nothing")
  func quiet() async throws {
    let bench = TestBench(identity: paired, friendly)
    bench.printer.come()
    let start = bench.time.now
    try await bench.run {
      await bench.play(until: .seconds(16), of: start)
      await bench.executor.idle()
      let before = bench.transport.requests.count
      let sleeps = bench.time.deadlines
      for number in 0..<1_000 {
        bench.printer.update { $0.objects["extruder"]?["temperature"] = .integer(number) }
      }
      await bench.executor.idle()
      #expect(bench.transport.requests.count == before)
      #expect(bench.time.deadlines == sleeps)
    }
  }

  @Test("Moonraker away or frozen: heartbeats say so on time, and no stale snapshot is sent")
  func printerAway() async throws {
    let bench = TestBench(identity: paired, friendly)
    bench.printer.come()
    let start = bench.time.now
    func reachable() -> JSONValue? {
      bench.last("heartbeat")?.json["printers"]?.array?.first?["reachable"]
    }
    try await bench.run {
      await bench.play(until: .seconds(16), of: start)
      let snapshots = bench.count("batch")
      bench.printer.freeze()
      await bench.play(until: .seconds(26), of: start)
      #expect(reachable() == true)
      await bench.play(until: .seconds(75), of: start)
      #expect(reachable() == false)
      #expect(bench.count("batch") == snapshots)
      bench.printer.thaw()
      await bench.play(until: .seconds(78), of: start)
      await until { bench.count("batch") == snapshots + 1 }
      await bench.play(until: .seconds(81), of: start)
      #expect(reachable() == true)

      bench.printer.leave()
      await bench.play(until: .seconds(150), of: start)
      #expect(reachable() == false)
      #expect(bench.count("batch") == snapshots + 1)
      bench.printer.come()
      await until { bench.count("batch") == snapshots + 2 }
    }
    #expect(bench.health == [.online])
  }

  @Test("Added by a reload while Moonraker is silent: no snapshot before its own fields are known")
  func addedByReload() async throws {
    let bench = TestBench(identity: paired, friendly)
    bench.printer.come()
    bench.printer.update { $0.covered = StatusInterest(["print_stats": .named(["state"])]) }
    let start = bench.time.now
    try await bench.run {
      await bench.play(until: .seconds(70), of: start)
      #expect(bench.count("heartbeat") >= 7)
      #expect(bench.count("batch") == 0)
      bench.printer.update { $0.covered = SnapshotEncoder.interest }
      await bench.play(until: .seconds(73), of: start)
      await until { bench.count("batch") == 1 }
    }
  }

  @Test("A start before Moonraker is there waits a quarter of a second for it, no longer")
  func grace() async throws {
    let bench = TestBench(identity: paired, friendly)
    let start = bench.time.now
    try await bench.run {
      await until { bench.time.deadlines.first == start.advanced(by: Reporter.grace) }
      #expect(bench.transport.requests.isEmpty)
      bench.time.advance(by: Reporter.grace)
      await until { bench.count("heartbeat") == 1 }
      #expect(bench.last("heartbeat")?.json["printers"]?.array?.first?["reachable"] == false)
    }
    let other = TestBench(identity: paired, friendly)
    try await other.run {
      await other.executor.idle()
      other.printer.come()
      await until { other.count("heartbeat") == 1 }
      #expect(other.last("heartbeat")?.json["printers"]?.array?.first?["reachable"] == true)
    }
  }

  @Test(
    "Refused credentials: one probe a minute, said once, and back within 75 s",
    arguments: [
      (401, "credentials refused"), (403, "credentials refused"), (404, "connector not known"),
    ])
  func refused(status: Int, problem: String) async throws {
    let bench = TestBench(identity: paired, friendly)
    bench.printer.come()
    let start = bench.time.now
    try await bench.run {
      await bench.play(until: .seconds(35), of: start)
      bench.transport.follow { _, _ in .json(status, #"{"error":"Unauthorized"}"#) }
      await bench.play(until: .seconds(41), of: start)
      let before = bench.transport.requests.count
      bench.printer.print("printing")
      await bench.play(until: .seconds(341), of: start)
      #expect(bench.transport.requests.count - before == 5)
      #expect(bench.transport.requests.suffix(5).allSatisfy { $0.kind == "heartbeat" })
      guard case .degraded(let told, _)? = bench.health.last else {
        Issue.record("the backend does not say that it is degraded")
        return
      }
      #expect(told == "\(problem) (\(status): Unauthorized)")
      #expect(bench.log.lines.count { $0.hasPrefix("error ") } == 1)

      bench.transport.follow(friendly)
      let again = bench.count("batch")
      await bench.play(until: .seconds(341 + 75), of: start)
      #expect(bench.health.last == .online)
      #expect(bench.count("batch") > again)
    }
    #expect(bench.identity.identity == paired)
    #expect(bench.health.count == 3)
  }

  @Test("A snapshot that is refused with 401 stops the other calls as well")
  func refusedSnapshot() async throws {
    let bench = TestBench(identity: paired) { request, _ in
      request.kind == "batch" ? .json(401, "{}") : .json(200, "{}")
    }
    bench.printer.come()
    let start = bench.time.now
    try await bench.run {
      // The first snapshot is due at 15 s; the probe a minute later.
      await bench.play(until: .seconds(74), of: start)
      #expect(bench.count("batch") == 1)
      #expect(bench.count("heartbeat") == 2)
    }
  }

  @Test("Trouble on top of refused credentials does not bring more calls")
  func refusedThenBusy() async throws {
    let bench = TestBench(identity: paired) { request, _ in
      request.kind == "heartbeat" ? .json(401, "{}") : .json(200, "{}")
    }
    bench.printer.come()
    let start = bench.time.now
    try await bench.run {
      await bench.play(until: .seconds(50), of: start)
      bench.transport.follow { _, _ in .json(500, "{}") }
      let before = bench.transport.requests.count
      await bench.play(until: .seconds(650), of: start)
      #expect(bench.transport.requests.count - before <= 10)
      bench.transport.follow(friendly)
      await bench.play(until: .seconds(800), of: start)
      #expect(bench.health.last == .online)
      #expect(bench.count("batch") > 0)
    }
  }

  @Test("An outage is logged once, backed off from, and over with the first answer")
  func outage() async throws {
    let bench = TestBench(identity: paired) { _, _ throws(NetworkError) in
      throw NetworkError(.connect, "www.spoolr.io:443: connection refused")
    }
    bench.printer.come()
    let start = bench.time.now
    try await bench.run {
      await bench.play(until: .seconds(600), of: start)
      #expect(bench.count("heartbeat") < 20)
      #expect(bench.count("batch") < 20)
      let complaints = bench.log.lines.filter { $0.hasPrefix("warning ") }
      #expect(
        complaints == [
          "warning printdock heartbeat: PrintDock cannot be reached: www.spoolr.io:443: connection "
            + "refused; it is tried again by itself"
        ])
      #expect(bench.health.count == 1)
      bench.transport.follow(friendly)
      await bench.play(until: .seconds(680), of: start)
      #expect(bench.health.last == .online)
      #expect(bench.log.lines.contains("info printdock PrintDock is back"))
    }
  }

  @Test("Retry-After is waited for")
  func retryAfter() async throws {
    let bench = TestBench(identity: paired) { _, _ in
      .json(503, "{}", [HTTPField("Retry-After", "120")])
    }
    let start = bench.time.now
    bench.printer.come()
    try await bench.run {
      await bench.play(until: .seconds(119), of: start)
      #expect(bench.count("heartbeat") == 1)
      await bench.play(until: .seconds(121), of: start)
      #expect(bench.count("heartbeat") == 2)
    }
  }

  @Test("A heartbeat that hangs does not hold the snapshots up")
  func hanging() async throws {
    let time = Gate()
    let bench = TestBench(identity: paired) { request, number throws(NetworkError) in
      if request.kind == "heartbeat" {
        await time.wait()
        throw NetworkError(.timeout, "too slow")
      }
      return .json(200, #"{"inserted":1}"#)
    }
    bench.printer.come()
    let start = bench.time.now
    let backend = try await PrintDockBackend(
      settings: PrintDockFixture.settings(), context: bench.context())
    let task = Task { try await backend.run() }
    await until { bench.count("heartbeat") == 1 }
    await bench.time.sleepers(atLeast: 1)
    bench.time.advance(to: start.advanced(by: .seconds(16)))
    await until { bench.count("batch") == 1 }
    task.cancel()
    time.open()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("A pairing under way when the end comes is finished and stored")
  func endsInMidPairing() async throws {
    let gate = Gate()
    let bench = TestBench { request, number throws(NetworkError) in
      await gate.wait()
      return try await friendly(request, number)
    }
    try await bench.run(PrintDockFixture.settings(token: "PAIR_dummy_1")) {
      await until { bench.count("register") == 1 }
      Task {
        await bench.time.sleepers(atLeast: 1)
        gate.open()
      }
    }
    #expect(bench.identity.identity?["connector_id"] == "46")
  }

  @Test("Pairing goes on through what passes: no network, 5xx, a captive portal, a redirect")
  func pairingRetries() async throws {
    let bench = TestBench { request, number throws(NetworkError) in
      switch number {
      case 0: throw NetworkError(.nameLookup, "www.spoolr.io: no such host")
      case 1: return .json(500, "{}")
      case 2: return HTTPResponse(status: 200, body: Array("<html>".utf8))
      case 3: return HTTPResponse(status: 302)
      case 4: return HTTPResponse(status: 204)
      case 5: throw NetworkError(.certificateNotYetValid, "www.spoolr.io: not yet valid")
      default: return try await friendly(request, number)
      }
    }
    bench.printer.come()
    let start = bench.time.now
    try await bench.run(PrintDockFixture.settings(token: "PAIR_dummy_1")) {
      for second in [1, 3, 7, 15, 31, 63] {
        let deadline = start.advanced(by: .seconds(second))
        await until { bench.time.deadlines == [deadline] }
        bench.time.advance(to: deadline)
      }
      await until { bench.count("heartbeat") == 1 }
    }
    #expect(bench.count("register") == 7)
    #expect(bench.identity.saves == 1)
    #expect(bench.health.last == .online)
  }

  @Test(
    "A refused token parks with the cloud's words, and is not tried again",
    arguments: [
      400, 401, 403, 404, 409, 410, 422,
    ])
  func pairingRefused(status: Int) async throws {
    let bench = TestBench { _, _ in .json(status, #"{"error":"Pairing token already consumed"}"#) }
    let backend = try await PrintDockBackend(
      settings: PrintDockFixture.settings(token: "PAIR_dummy_1"), context: bench.context())
    let failure = await #expect(throws: BackendFailure.self) { try await backend.run() }
    #expect(failure?.action == .park)
    #expect(
      failure?.problem
        == "PrintDock refuses the pairing token (\(status): Pairing token already consumed)")
    #expect(failure?.remedy.contains("make a new token") == true)
    #expect(bench.transport.requests.count == 1)
    #expect(bench.identity.saves == 0)
    #expect(bench.retired.isEmpty)
  }

  @Test("An answer to pairing that lacks something stores nothing and parks")
  func pairingDefect() async throws {
    let bench = TestBench { _, _ in
      .json(200, #"{"connector":{"id":46},"credentials":{"secret":"x"}}"#)
    }
    let backend = try await PrintDockBackend(
      settings: PrintDockFixture.settings(token: "PAIR_dummy_1"), context: bench.context())
    let failure = await #expect(throws: BackendFailure.self) { try await backend.run() }
    #expect(failure?.action == .park)
    #expect(bench.identity.saves == 0)
  }

  @Test("A disk that is full does not lose a pairing: the token is spent, so storing goes on")
  func pairingNotStored() async throws {
    let bench = TestBench(friendly)
    bench.identity.failSaves(2)
    bench.printer.come()
    let start = bench.time.now
    try await bench.run(PrintDockFixture.settings(token: "PAIR_dummy_1")) {
      await until { bench.time.deadlines == [start.advanced(by: .seconds(1))] }
      #expect(bench.count("heartbeat") == 0)
      await bench.time.advanceToNextDeadline()
      await until { bench.time.deadlines == [start.advanced(by: .seconds(3))] }
      await bench.time.advanceToNextDeadline()
      await until { bench.count("heartbeat") == 1 }
    }
    #expect(bench.count("register") == 1)
    #expect(bench.identity.saves == 1)
    guard case .degraded(let problem, _)? = bench.health.first else {
      Issue.record("nothing was said")
      return
    }
    #expect(problem.contains("cannot be stored"))
    #expect(bench.health.last == .online)
  }

  @Test("A spent token in the file is ignored, and its removal asked for once per start")
  func spentToken() async throws {
    var identity = paired
    identity["token_sha256"] = .string(PairingDecision.digest(of: Secret("PAIR_dummy_1")))
    let bench = TestBench(identity: identity, friendly)
    bench.printer.come()
    try await bench.run(PrintDockFixture.settings(token: "PAIR_dummy_1")) {
      await until { bench.count("heartbeat") == 1 }
    }
    #expect(bench.count("register") == 0)
    #expect(bench.retired == ["pairing_token"])
    #expect(bench.identity.saves == 0)
  }

  @Test(
    "Another token pairs again; what another connector is owed is dropped", arguments: ["45", "46"])
  func pairAgain(former: String) async throws {
    var identity = paired
    identity["connector_id"] = .string(former)
    identity["token_sha256"] = .string(PairingDecision.digest(of: Secret("PAIR_dummy_1")))
    let bench = TestBench(identity: identity, friendly)
    for key in ["1", "2"] {
      await bench.outbox.put(
        OwedItem(key: key, kind: "completion", body: ["status": "succeeded"]), isFresh: false)
    }
    bench.printer.come()
    try await bench.run(PrintDockFixture.settings(token: "PAIR_dummy_2")) {
      await until { bench.count("heartbeat") == 1 }
    }
    #expect(bench.count("register") == 1)
    #expect(bench.identity.identity?["connector_id"] == "46")
    let isDropped = bench.outbox.verdicts.map {
      if case .reject = $0.verdict { true } else { false }
    }
    #expect(isDropped.prefix(2).allSatisfy { $0 == (former == "45") })
    #expect(former == "46" || bench.count("complete") == 0)
  }

  @Test("Without a token and an identity it parks, without a request")
  func missing() async throws {
    let bench = TestBench(friendly)
    let backend = try await PrintDockBackend(
      settings: PrintDockFixture.settings(), context: bench.context())
    let failure = await #expect(throws: BackendFailure.self) { try await backend.run() }
    #expect(failure?.action == .park)
    #expect(bench.transport.requests.isEmpty)
  }

  @Test("The file's interval wins over PrintDock's, which wins over the default")
  func intervals() async throws {
    for (configured, told, count) in [(60, 30, 5), (nil, 100, 3), (nil, nil, 10)]
      as [(Int?, Int?, Int)]
    {
      var identity = paired
      identity["snapshots_seconds"] = told.map { .integer($0) }
      let bench = TestBench(identity: identity, friendly)
      bench.printer.come()
      let start = bench.time.now
      var extra: [String: SettingValue] = [:]
      extra["push_snapshots_seconds"] = configured.map { .duration(.seconds($0)) }
      try await bench.run(PrintDockFixture.settings(extra: extra)) {
        await bench.play(until: .seconds(299), of: start)
      }
      #expect(bench.count("batch") == count)
    }
  }

  @Test("One round pairs, says hello and shows the printer")
  func once() async throws {
    let bench = TestBench(friendly)
    bench.printer.come()
    let backend = try await PrintDockBackend(
      settings: PrintDockFixture.settings(token: "PAIR_dummy_1"), context: bench.context())
    try await backend.runOnce()
    #expect(
      bench.transport.requests.map(\.kind) == [
        "register", "heartbeat", "commands", "batch", "webcam_requests",
      ])
    #expect(bench.time.deadlines.isEmpty)
  }

  @Test(
    "One round fails with what failed first, and never tries twice",
    arguments: [
      "register", "heartbeat", "commands", "batch", "webcam_requests",
    ])
  func onceFailing(kind: String) async throws {
    let bench = TestBench { request, number throws(NetworkError) in
      if request.kind == kind { return .json(500, "{}") }
      return try await friendly(request, number)
    }
    bench.printer.come()
    let backend = try await PrintDockBackend(
      settings: PrintDockFixture.settings(token: "PAIR_dummy_1"), context: bench.context())
    let failure = await #expect(throws: BackendFailure.self) { try await backend.runOnce() }
    #expect(failure?.problem == "PrintDock has trouble (500)")
    #expect(bench.transport.requests.last?.kind == kind)
    #expect(bench.count(kind) == 1)
  }

  @Test("One round without a printer says so, after five seconds and the heartbeat")
  func onceAway() async throws {
    let bench = TestBench(identity: paired, friendly)
    let backend = try await PrintDockBackend(
      settings: PrintDockFixture.settings(), context: bench.context())
    let task = Task { try await backend.runOnce() }
    for _ in 0..<20 { await bench.time.advanceToNextDeadline() }
    let failure = await #expect(throws: BackendFailure.self) { try await task.value }
    #expect(failure?.problem.contains("Moonraker is not connected") == true)
    #expect(bench.transport.requests.map(\.kind) == ["heartbeat", "commands"])
  }
}
