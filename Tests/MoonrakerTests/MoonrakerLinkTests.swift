import ConnectorKit
import JSON
import Moonraker
import Networking
import Platform
import TestSupport
import Testing

@Suite("The link", .timeLimit(.minutes(1))) struct MoonrakerLinkTests {
  let time = ManualTime()

  /// Keeps what was logged.
  final class Lines: LogSink {
    let lines = Guarded<[String]>([])
    func accepts(_ level: LogLevel, label: String) -> Bool { true }
    func write(_ level: LogLevel, label: String, message: String) {
      lines.withLock { $0.append("\(level) \(message)") }
    }
  }

  /// A link whose Moonraker is the test.
  struct Bench {
    let time: ManualTime
    let cache: StatusCache
    let link: MoonrakerLink
    let connections = Mailbox<ScriptedConnection>()
    let refusals = Guarded(0)
    /// Attempts to connect that never come to anything.
    let hanging = Guarded((left: 0, now: 0))
    let lines = Lines()

    init(time: ManualTime, apiKey: Secret? = nil, unix: Bool = false) {
      self.time = time
      cache = StatusCache(time: time)
      let connections = connections
      let refusals = refusals
      let hanging = hanging
      link = MoonrakerLink(
        settings: MoonrakerSettings(
          address: unix ? .unixSocket("/x") : .http("http://printer:7125"), apiKey: apiKey),
        cache: cache, time: time, log: Log(label: "moonraker", sink: lines), random: { 1 }
      ) { () async throws(NetworkError) in
        let refuses = refusals.withLock { left in
          defer { left = max(0, left - 1) }
          return left > 0
        }
        let hangs = hanging.withLock { state in
          guard state.left > 0 else { return false }
          state.left -= 1
          state.now += 1
          return true
        }
        if hangs {
          _ = await Mailbox<Int>().next()
          hanging.withLock { $0.now -= 1 }
          throw NetworkError(.cancelled, "cancelled")
        }
        if refuses { throw NetworkError(.connect, "connection refused") }
        let connection = ScriptedConnection(time: time)
        connections.put(connection)
        return connection
      }
    }

    /// Runs the link around `body`, and expects that it ends when it is cancelled.
    func run(_ body: () async throws -> Void) async throws {
      let link = link
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { do { try await link.run() } catch is CancellationError {} }
        try await body()
        group.cancelAll()
      }
      #expect(cache.current.link != .connected)
      #expect(time.deadlines.isEmpty, "nothing of the link is left")
    }

    func nextConnection() async throws -> ScriptedConnection {
      try #require(await connections.next())
    }

    /// Serves the whole way up to a living subscription.
    @discardableResult
    func serve(_ wire: ScriptedConnection, state: String = "ready") async throws -> [String] {
      var methods: [String] = []
      while true {
        let request = try #require(await wire.nextRequest())
        let method = request["method"]?.string ?? ""
        methods.append(method)
        switch method {
        case "server.connection.identify": wire.answer(request, ["connection_id": 1])
        case "server.info":
          wire.answer(request, ["klippy_state": .string(state), "moonraker_version": "v0.11.0"])
          if state != "ready" { return methods }
        case "printer.info": wire.answer(request, ["state": "ready"])
        case "printer.objects.list": wire.answer(request, LinkScript.objects)
        case "printer.objects.subscribe":
          wire.answer(request, LinkScript.full(eventtime: 100, filename: ""))
          return methods
        default: Issue.record("unexpected \(method)")
        }
      }
    }

    /// Waits until somebody sleeps for `duration` from now.
    func sleeps(for duration: Duration) async {
      let deadline = time.now.advanced(by: duration)
      while !time.deadlines.contains(deadline) { await Task.yield() }
    }

    /// Waits for a snapshot that fulfils `condition`.
    func status(where condition: (PrinterStatus) -> Bool) async throws -> PrinterStatus {
      for await status in cache.snapshots() where condition(status) { return status }
      throw CancellationError()
    }
  }

  @Test("goes the whole way, merges updates and publishes them") func wholeWay() async throws {
    let bench = Bench(time: time)
    await bench.link.setInterest(LinkScript.interest)
    try await bench.run {
      let wire = try await bench.nextConnection()
      let methods = try await bench.serve(wire)
      #expect(methods.first == "server.connection.identify")
      #expect(methods.last == "printer.objects.subscribe")
      _ = try await bench.status { $0.isCurrent }
      wire.notify(
        "notify_status_update", [["extruder": ["temperature": 21.5, "target": 200]], 101.5])
      let status = try await bench.status { $0.field("extruder", "target") == 200 }
      #expect(status.eventtime?.double == 101.5)
      #expect(status.klippy == .ready)
      #expect(bench.link.condition == "connected; Klippy is ready")
    }
    #expect(bench.link.condition == "stopped")
  }

  @Test("identifies as an agent, with the key, which shows nowhere") func identifies() async throws
  {
    let bench = Bench(time: time, apiKey: Secret("0123456789abcdef"))
    try await bench.run {
      let wire = try await bench.nextConnection()
      let request = try #require(await wire.nextRequest())
      let params = request["params"]
      #expect(params?["client_name"] == "printer-uplink")
      #expect(params?["type"] == "agent")
      #expect(params?["version"]?.string == Product.version)
      #expect(params?["url"]?.string?.isEmpty == false)
      #expect(params?["api_key"] == "0123456789abcdef")
      wire.refuse(request, code: -32602, "Invalid API Key")
      #expect(await wire.nextRequest() == nil)
      while bench.link.condition == "connecting" { await Task.yield() }
      #expect(bench.link.condition.contains("api_key_file"))
      #expect(!bench.link.condition.contains("0123456789abcdef"))
    }
    #expect(!bench.lines.lines.withLock { $0.description }.contains("0123456789abcdef"))
  }

  @Test("comes back after a loss, and tells the readers") func comesBack() async throws {
    let bench = Bench(time: time)
    let events = bench.cache.events()
    try await bench.run {
      let wire = try await bench.nextConnection()
      try await bench.serve(wire)
      _ = try await bench.status { $0.isCurrent }
      bench.refusals.withLock { $0 = 2 }
      wire.drop("1001 Server Shutdown")
      _ = try await bench.status { $0.link != .connected }
      for seconds in [1, 2, 4] {
        await bench.sleeps(for: .seconds(seconds))
        time.advance(by: .seconds(seconds))
      }
      try await bench.serve(try await bench.nextConnection())
      _ = try await bench.status { $0.isCurrent }
    }
    var told: [PrinterEvent] = []
    for await event in events {
      told.append(event)
      if told.count == 6 { break }
    }
    #expect(
      told == [
        .link(isUp: true), .klippy(.ready, message: ""),
        .printState(from: nil, to: "standby"),
        .link(isUp: false), .printState(from: "standby", to: nil),
        .link(isUp: true),
      ])
  }

  @Test("a frozen Moonraker is left after 10 s without an answer") func frozen() async throws {
    let bench = Bench(time: time)
    try await bench.run {
      let wire = try await bench.nextConnection()
      _ = await wire.nextRequest()
      await bench.sleeps(for: .seconds(10))
      time.advance(by: .seconds(10))
      #expect(await wire.nextRequest() == nil)
      #expect(wire.isClosed)
    }
  }

  @Test("an attempt that comes to nothing ends after 15 s, and only then there is another")
  func hangingAttempt() async throws {
    let bench = Bench(time: time)
    bench.hanging.withLock { $0.left = 2 }
    try await bench.run {
      for pause in [1, 2] {
        await bench.sleeps(for: .seconds(15))
        #expect(bench.hanging.withLock { $0.now } == 1)
        time.advance(by: .seconds(15))
        await bench.sleeps(for: .seconds(pause))
        #expect(bench.hanging.withLock { $0.now } == 0)
        time.advance(by: .seconds(pause))
      }
      try await bench.serve(try await bench.nextConnection())
    }
  }

  @Test("a half-open connection is noticed by its ping") func halfOpen() async throws {
    let bench = Bench(time: time)
    try await bench.run {
      let wire = try await bench.nextConnection()
      try await bench.serve(wire)
      _ = try await bench.status { $0.isCurrent }
      wire.answerPings(.never)
      await bench.sleeps(for: .seconds(20))
      time.advance(by: .seconds(20))
      await bench.sleeps(for: .seconds(10))
      #expect(!wire.isClosed)
      time.advance(by: .seconds(10))
      #expect(await wire.nextRequest() == nil)
      #expect(wire.isClosed)
      #expect(wire.pings == 1)
    }
  }

  @Test(
    "nonsense makes us come back on a new connection",
    arguments: ["nonsense", "{\"jsonrpc\":\"2.0\",\"method\":\"notify_st", "[1]", "\u{0}"])
  func nonsense(text: String) async throws {
    let bench = Bench(time: time)
    try await bench.run {
      let wire = try await bench.nextConnection()
      try await bench.serve(wire)
      wire.say(text)
      #expect(await wire.nextRequest() == nil)
      _ = try await bench.status { $0.link != .connected }
      await bench.sleeps(for: .seconds(1))
      time.advance(by: .seconds(1))
      try await bench.serve(try await bench.nextConnection())
    }
  }

  @Test("notifications of wrong shapes change nothing") func wrongShapes() async throws {
    let bench = Bench(time: time)
    try await bench.run {
      let wire = try await bench.nextConnection()
      try await bench.serve(wire)
      let before = try await bench.status { $0.isCurrent }
      for method in [
        "notify_status_update", "notify_proc_stat_update", "notify_filelist_changed",
        "notify_nothing_known",
      ] {
        for params in [nil, [], [5], [[]], "text", [nil, nil], ["a": 1]] as [JSONValue] {
          wire.notify(method, params)
        }
      }
      wire.notify("notify_status_update", [["print_stats": ["state": "printing"]], 102])
      let after = try await bench.status { $0.printState == "printing" }
      #expect(after.version == before.version + 1)
    }
  }

  @Test("somebody's request is answered, so that nobody hangs") func requests() async throws {
    let bench = Bench(time: time)
    try await bench.run {
      let wire = try await bench.nextConnection()
      try await bench.serve(wire)
      wire.say(#"{"jsonrpc":"2.0","method":"status","params":{},"id":9}"#)
      let answer = try #require(await wire.nextRequest())
      #expect(answer["id"] == 9)
      #expect(answer["error"]?["code"] == -32601)
    }
  }

  @Test("every frame is a sign of life, and the host's load makes no snapshot") func signOfLife()
    async throws
  {
    let bench = Bench(time: time)
    try await bench.run {
      let wire = try await bench.nextConnection()
      try await bench.serve(wire)
      let before = try await bench.status { $0.isCurrent }
      let events = bench.cache.events()
      time.advance(by: .seconds(3))
      wire.notify(
        "notify_proc_stat_update",
        [
          [
            "system_cpu_usage": ["cpu": 12.5, "cpu0": 1],
            "system_memory": ["total": 1_000, "used": 400, "available": 600],
          ]
        ])
      wire.notify("notify_gcode_response", ["B:60.0 /60.0 T0:200.0 /200.0"])
      wire.notify("notify_webcams_changed", [["webcams": []]])
      for await event in events where event == .webcams { break }
      var host = HostLoad(cpuPercent: 12.5, memoryPercent: 40)
      host.memoryUsed = 400
      #expect(bench.cache.current.host == host)
      #expect(bench.cache.current.version == before.version)
      #expect(bench.cache.lastHeard == time.now)
    }
  }

  @Test("a change of the interest subscribes again on the same connection") func interest()
    async throws
  {
    let bench = Bench(time: time)
    try await bench.run {
      let wire = try await bench.nextConnection()
      try await bench.serve(wire)
      _ = try await bench.status { $0.isCurrent }
      await bench.link.setInterest(StatusInterest(["toolhead": .named(["position"])]))
      let request = try #require(await wire.nextRequest())
      #expect(request["method"] == "printer.objects.subscribe")
      #expect(request["params"]?["objects"]?["toolhead"] == ["position"])
    }
  }

  @Test("whoever waits for a wider interest waits for its answer, and for nothing else")
  func subscribed() async throws {
    let bench = Bench(time: time)
    // Nobody waits for a Moonraker that is away, or that is being met.
    await bench.link.subscribed()
    try await bench.run {
      let wire = try await bench.nextConnection()
      await bench.link.subscribed()
      try await bench.serve(wire)
      _ = try await bench.status { $0.isCurrent }
      await bench.link.subscribed()
      await bench.link.setInterest(LinkScript.interest)
      let hasReturned = Guarded(false)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          await bench.link.subscribed()
          hasReturned.withLock { $0 = true }
          #expect(bench.cache.current.field("print_stats", "filename") == "new.gcode")
        }
        let request = try #require(await wire.nextRequest())
        #expect(request["method"] == "printer.objects.subscribe")
        for _ in 0..<100 { await Task.yield() }
        #expect(!hasReturned.withLock { $0 })
        wire.answer(request, LinkScript.full(eventtime: 101, filename: "new.gcode"))
        try await group.waitForAll()
      }
      // One that is cancelled, and one whose connection ends, waits no longer.
      await bench.link.setInterest(StatusInterest(["toolhead": .named(["position"])]))
      let waiting = Task { await bench.link.subscribed() }
      waiting.cancel()
      await waiting.value
      let other = Task { await bench.link.subscribed() }
      wire.close()
      await other.value
    }
  }

  @Test("cancelling ends it in every state", arguments: 0..<5) func cancelling(stage: Int)
    async throws
  {
    let bench = Bench(time: time)
    if stage == 0 { bench.refusals.withLock { $0 = .max } }
    try await bench.run {
      if stage == 0 {
        _ = await time.nextDeadline()
        return
      }
      let wire = try await bench.nextConnection()
      if stage == 1 { _ = await wire.nextRequest() }
      if stage == 2 { try await bench.serve(wire, state: "startup") }
      if stage >= 3 { try await bench.serve(wire) }
      if stage == 4 {
        wire.answerPings(.never)
        while wire.pings == 0 { await time.advanceToNextDeadline() }
      }
    }
  }
}
