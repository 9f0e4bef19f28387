import ConnectorKit
import JSON
import Moonraker
import Networking
import Platform
import TestSupport
import Testing

@Suite("Calls over the link", .timeLimit(.minutes(1))) struct LinkCallingTests {
  let time = ManualTime()

  /// A link with one method for macros; its Moonraker is the test.
  struct Bench {
    let link: MoonrakerLink
    let cache: StatusCache
    let connections = Mailbox<ScriptedConnection>()
    let said = Mailbox<JSONValue>()

    init(time: ManualTime, requests: AgentRequests? = nil) {
      cache = StatusCache(time: time)
      let connections = connections
      let said = said
      link = MoonrakerLink(
        settings: MoonrakerSettings(address: .http("http://printer:7125")), cache: cache,
        time: time, log: Log(label: "moonraker", sink: RecordingSink()), random: { 1 },
        remoteMethods: ["printer_uplink_bed_cleared": { said.put($0) }], requests: requests
      ) { () async throws(NetworkError) in
        let connection = ScriptedConnection(time: time)
        connections.put(connection)
        return connection
      }
    }

    func run(_ body: () async throws -> Void) async throws {
      let link = link
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { do { try await link.run() } catch is CancellationError {} }
        try await body()
        group.cancelAll()
      }
    }

    func outcome(_ method: String, timeout: Duration? = nil) async -> Result<JSONValue, RPCFailure>
    {
      do throws(RPCFailure) { return .success(try await link.call(method, timeout: timeout)) } catch
      {
        return .failure(error)
      }
    }

    /// Answers requests up to the subscription; returns the methods that were registered.
    func serve(_ wire: ScriptedConnection, refusing: Bool = false) async throws -> [String] {
      var registered: [String] = []
      while true {
        let request = try #require(await wire.nextRequest())
        switch request["method"]?.string {
        case "connection.register_remote_method":
          registered.append(request["params"]?["method_name"]?.string ?? "")
          if refusing {
            wire.refuse(request, code: 400, "already registered")
          } else {
            wire.answer(request, "ok")
          }
        case "server.info":
          wire.answer(request, ["klippy_state": "ready", "moonraker_version": "v0.11.0"])
        case "printer.objects.list": wire.answer(request, LinkScript.objects)
        case "printer.objects.subscribe":
          wire.answer(request, LinkScript.full(eventtime: 100, filename: ""))
          return registered
        default: wire.answer(request, [:])
        }
      }
    }
  }

  func isNotSent(_ outcome: Result<JSONValue, RPCFailure>) -> Bool {
    if case .failure(.notSent) = outcome { true } else { false }
  }

  @Test("fail at once where there is no connection, or none that has let us in")
  func notConnected() async throws {
    let bench = Bench(time: time)
    #expect(isNotSent(await bench.outcome("server.info")))
    try await bench.run {
      let wire = try #require(await bench.connections.next())
      let identify = try #require(await wire.nextRequest())
      #expect(identify["method"] == "server.connection.identify")
      #expect(isNotSent(await bench.outcome("printer.emergency_stop")))
      wire.answer(identify, ["connection_id": 1])
      _ = try await bench.serve(wire)
    }
    #expect(isNotSent(await bench.outcome("server.info")))
  }

  @Test("an emergency stop goes out beside a hundred calls that wait for Klipper")
  func emergencyStop() async throws {
    let bench = Bench(time: time)
    try await bench.run {
      let wire = try #require(await bench.connections.next())
      _ = try await bench.serve(wire)
      try await withThrowingTaskGroup(of: Result<JSONValue, RPCFailure>.self) { group in
        for _ in 0..<100 { group.addTask { await bench.outcome("printer.gcode.script") } }
        for _ in 0..<100 {
          let request = try #require(await wire.nextRequest())
          #expect(request["method"] == "printer.gcode.script")
        }
        async let stop = bench.outcome("printer.emergency_stop")
        let request = try #require(await wire.nextRequest())
        #expect(request["method"] == "printer.emergency_stop")
        wire.answer(request, "ok")
        let stopped = await stop
        #expect(stopped == .success("ok"))
        wire.drop("1001 Server Shutdown")
        for try await outcome in group {
          #expect(outcome == .failure(.connectionLost("1001 Server Shutdown")))
        }
      }
      #expect(isNotSent(await bench.outcome("server.info")))
    }
  }

  @Test("a macro's call arrives, with and without parameters, on each connection anew")
  func remoteMethod() async throws {
    let bench = Bench(time: time)
    try await bench.run {
      for round in 0..<2 {
        let wire = try #require(await bench.connections.next())
        #expect(try await bench.serve(wire) == ["printer_uplink_bed_cleared"])
        wire.notify("printer_uplink_bed_cleared")
        #expect(await bench.said.next() == .null)
        wire.notify("printer_uplink_bed_cleared", ["by": "PRINT_END"])
        #expect(await bench.said.next() == ["by": "PRINT_END"])
        guard round == 0 else { break }
        wire.drop("1001 Server Shutdown")
        let comeback = time.now.advanced(by: .seconds(1))
        await until { time.deadlines.contains(comeback) }
        time.advance(to: comeback)
      }
    }
  }

  @Test("a request of another client by that name is refused and calls nothing")
  func foreignRequest() async throws {
    let bench = Bench(time: time)
    try await bench.run {
      let wire = try #require(await bench.connections.next())
      _ = try await bench.serve(wire)
      wire.say(#"{"jsonrpc":"2.0","method":"printer_uplink_bed_cleared","params":{},"id":9}"#)
      let answer = try #require(await wire.nextRequest())
      #expect(answer["error"]?["code"] == -32601)
      wire.notify("printer_uplink_bed_cleared", ["first": true])
      #expect(await bench.said.next() == ["first": true])
    }
  }

  @Test("every request of other clients is answered, and a flood of them is bounded")
  func requests() async throws {
    let doors = Mailbox<Bool>()
    let bench = Bench(time: time) { method in
      switch method {
      case "status": return .result(["version": 1])
      case "slow":
        _ = await doors.next()
        return .result("at last")
      case "broken": return .failure("the disk is away")
      default: return .unknownMethod
      }
    }
    try await bench.run {
      let wire = try #require(await bench.connections.next())
      _ = try await bench.serve(wire)
      func ask(_ method: String, _ id: Int, _ params: String = "{}") {
        wire.say(#"{"jsonrpc":"2.0","method":"\#(method)","params":\#(params),"id":\#(id)}"#)
      }
      ask("status", 1)
      #expect(try #require(await wire.nextRequest())["result"] == ["version": 1])
      ask("status", 2, #"[1,{"a":[]},"\u0000"]"#)
      #expect(try #require(await wire.nextRequest())["id"] == 2)
      ask("broken", 3)
      let broken = try #require(await wire.nextRequest())
      #expect(broken["error"]?["code"] == -32603)
      #expect(broken["error"]?["message"] == "the disk is away")
      let long = String(repeating: "x", count: 100_000)
      ask(long, 4, "null")
      let unknown = try #require(await wire.nextRequest())
      #expect(unknown["error"]?["code"] == -32601)
      #expect(unknown.serialized().count < 300)
      ask("slow", 5)
      for id in 6..<306 { ask("status", id) }
      var answers: [JSONValue: JSONValue] = [:]
      // What has no place any more is refused at once, while the slow one goes on.
      while let answer = await wire.nextRequest(), let id = answer["id"] {
        answers[id] = answer
        if answers.count == 300 - 128 { doors.put(true) }
        if answers.count == 301 { break }
      }
      #expect(answers[5]?["result"] == "at last")
      #expect(answers[6]?["result"] == ["version": 1])
      #expect(answers[305]?["error"]?["code"] == -32000)
    }
  }

  @Test("a name that is taken costs the method and nothing else") func nameTaken() async throws {
    let bench = Bench(time: time)
    try await bench.run {
      let wire = try #require(await bench.connections.next())
      _ = try await bench.serve(wire, refusing: true)
      async let answer = bench.outcome("server.info")
      wire.answer(try #require(await wire.nextRequest()), "here")
      let answered = await answer
      #expect(answered == .success("here"))
    }
  }

  @Test(
    "a taken name is said once, shown, asked for every minute, and had when its holder has gone")
  func nameTakenForAWhile() {
    var machine = LinkMachine(
      agentName: "printer-uplink", hasKey: false, usesPing: true, remoteMethods: ["a_method"])
    var actions: [LinkMachine.Action] = []
    func handle(_ event: LinkMachine.Event) { actions += machine.handle(event, at: time.now) }
    func warnings() -> Int {
      actions.count {
        if case .log(.warning, let text) = $0 { text.contains("a_method") } else { false }
      }
    }
    func asked() -> Int { actions.count { $0 == .call(.register(method: "a_method")) } }
    let taken = LinkMachine.Event.answer(
      .register(method: "a_method"), .failure(.refused(code: 400, message: "already registered")))
    handle(.start)
    handle(.opened)
    handle(.answer(.identify(name: "printer-uplink", asAgent: true), .success(nil)))
    handle(.answer(.serverInfo, .success(["klippy_state": "ready"])))
    handle(taken)
    #expect(warnings() == 1)
    #expect(machine.condition.contains("another client has a_method"))
    for _ in 0..<3 {
      time.advance(by: .seconds(59))
      handle(.tick(lastHeard: time.now))
      time.advance(by: .seconds(1))
      handle(.tick(lastHeard: time.now))
      handle(taken)
    }
    #expect(asked() == 4)
    #expect(warnings() == 1)
    time.advance(by: .seconds(60))
    handle(.tick(lastHeard: time.now))
    handle(.answer(.register(method: "a_method"), .success("ok")))
    #expect(!machine.condition.contains("a_method"))
    time.advance(by: .seconds(600))
    handle(.tick(lastHeard: time.now))
    #expect(asked() == 5)
  }

  @Test("an ordinary client registers nothing, for it may not") func ordinaryClient() {
    var machine = LinkMachine(
      agentName: "printer-uplink", hasKey: false, usesPing: true, remoteMethods: ["a_method"])
    var actions: [LinkMachine.Action] = []
    for event: LinkMachine.Event in [
      .start, .opened,
      .answer(.identify(name: "printer-uplink-client", asAgent: false), .success(nil)),
    ] {
      actions += machine.handle(event, at: time.now)
    }
    #expect(!actions.methods.contains("connection.register_remote_method"))
    #expect(actions.methods.last == "server.info")
  }
}
