import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import ReachRelay

@Suite("Reach: commands from pull to push", .timeLimit(.minutes(1))) struct ReachCommandTests {
  private static let paired: JSONObject = ["token": "t1", "printer_id": "p"]

  /// A relay that hands out these commands, one with each pull, and then holds.
  private static func bench(_ commands: [JSONValue]) -> TestBench {
    let left = Guarded(commands)
    return TestBench.reach(identity: paired, takesPulls: true) {
      request, _ async throws(NetworkError) in
      guard request.path == RelayEndpoint.pull.path else { return .ok() }
      let next = left.withLock { list -> JSONValue? in list.isEmpty ? .none : list.removeFirst() }
      guard let next else { return try await ScriptedTransport.silence() }
      return .ok(["command": next])
    }
  }

  private static func pushes(_ bench: TestBench) -> [JSONValue] {
    bench.transport.requests.filter { $0.path == RelayEndpoint.push.path }.map(\.json)
  }

  private static func command(_ id: String, _ name: String, _ params: JSONObject = [:]) -> JSONValue
  {
    ["requestId": .string(id), "command": .string(name), "params": .object(params)]
  }

  @Test("Each command is submitted under its answer, and its result pushed once")
  func whole() async throws {
    let bench = Self.bench([
      Self.command("r1", "printer.print.pause"),
      Self.command("r2", "server.info", ["__method": "GET"]),
      Self.command("r3", "system.nothing"), Self.command("r4", "access.user"),
      ["requestId": "r5"], Self.command("r1", "printer.print.pause"),
    ])
    bench.gateway.answer { request in
      request.command == .pause ? .done() : .done(["klippy_state": "ready"])
    }
    try await bench.run(try await bench.backend([:])) {
      await until { Set(Self.pushes(bench).map { $0["requestId"]?.string }).count == 5 }
    }
    let results = Dictionary(
      Self.pushes(bench).map { ($0["requestId"]?.string ?? "", $0) }, uniquingKeysWith: { $1 })
    #expect(
      results["r1"]
        == ["printerId": "p", "requestId": "r1", "status": "completed", "result": ["result": "ok"]])
    #expect(results["r2"]?["result"] == ["result": ["klippy_state": "ready"]])
    #expect(results["r3"]?["result"]?["errorCode"] == "unsupported")
    #expect(results["r4"]?["error"] == "command not allowed: access.user")
    #expect(results["r5"]?["error"] == "malformed command: its name is missing")
    #expect(bench.gateway.submitted.filter { $0.id == "r2" }.count == 1)
    #expect(
      bench.gateway.refusals.mapValues(\.reason) == [
        "r3": .invalid, "r4": .notPermitted, "r5": .invalid,
      ])
    #expect(bench.gateway.contacts.count == 6)
    let pull = bench.transport.requests.first { $0.path == RelayEndpoint.pull.path }
    #expect(pull?.json == ["printerId": "p"])
    #expect(pull?.timeout == .seconds(35))
  }

  @Test("What there is no place for is refused for good: handed out again it is told the same")
  func surplus() async throws {
    let commands = (1...33).map { Self.command("r\($0)", "printer.print.resume") }
    let isFree = Guarded(false)
    let bench = Self.bench(commands + [commands[32]])
    bench.gateway.answer { _ in
      await until { isFree.withLock { $0 } }
      return .done()
    }
    try await bench.run(try await bench.backend([:])) {
      await until { Self.pushes(bench).contains { $0["requestId"] == "r33" } }
      isFree.withLock { $0 = true }
      await until { Self.pushes(bench).count >= 33 }
    }
    let answers = Self.pushes(bench).filter { $0["requestId"] == "r33" }
    #expect(Set(answers.map { $0["error"] }) == ["busy"])
    #expect(answers.first?["result"]?["errorCode"] == "busy")
    #expect(bench.gateway.submitted.count == 32)
    #expect(bench.gateway.refused.first?.id == "r33")
  }

  @Test("An id that another command has had is refused, and that one's result stays")
  func sameID() async throws {
    let bench = Self.bench([Self.command("r1", "printer.print.pause")])
    bench.gateway.answer { _ in CommandOutcome(.refused, .invalid, "this id was used before") }
    bench.gateway.owesNothing()
    await bench.outbox.put(CommandResult.completed("r1", ["result": "first"]).owed())
    try await bench.run(try await bench.backend([:])) {
      await until { Self.pushes(bench).count == 2 }
    }
    #expect(Self.pushes(bench).map { $0["requestId"] } == ["r1", "r1"])
    #expect(Self.pushes(bench).map { $0["result"]?["result"] } == ["first", nil])
    #expect(Self.pushes(bench).last?["error"] == "this id was used before")
  }

  @Test("Ages of this run's results do not follow a clock that is set")
  func clock() async throws {
    let bench = Self.bench([Self.command("r1", "printer.print.pause")])
    try await bench.run(try await bench.backend([:])) {
      await until { Self.pushes(bench).count == 1 }
    }
    let runner = CommandRunner(context: bench.context())
    await runner.answer(.completed("r2", ["result": "ok"]))
    let entry = OutboxEntry(
      number: 1, item: OwedItem(key: "r2", kind: "result", body: [:]),
      since: bench.time.wallTime.advanced(by: .seconds(-86_400)), attempts: 0, isFresh: true)
    bench.time.advance(by: .seconds(5))
    #expect(runner.age(of: entry) == .seconds(5))
    var stored = entry
    stored.isFresh = false
    #expect(runner.age(of: stored) == .seconds(86_405))
    // Nor does a connector that was parked for a while and starts again make them young.
    #expect(CommandRunner(context: bench.context()).age(of: entry) == .seconds(86_405))
  }

  @Test("G-code asks for an early answer after 2 s, nothing else does")
  func early() async throws {
    let bench = Self.bench([
      Self.command("r1", "printer.gcode.script", ["script": "G28"]),
      Self.command("r2", "printer.print.resume"),
    ])
    try await bench.run(try await bench.backend([:])) {
      await until { Self.pushes(bench).count == 2 }
    }
    #expect(bench.gateway.submitted.map(\.earlyAnswer?.after) == [.seconds(2), nil])
    #expect(
      bench.gateway.submitted.first?.earlyAnswer?.owed.body
        == ["requestId": "r1", "status": "completed", "result": ["result": "accepted"]])
  }

  @Test("A pause overtakes a command that takes its time; what waits at the end is answered so")
  func overtakes() async throws {
    let bench = Self.bench([
      Self.command("r1", "printer.print.resume"), Self.command("r2", "printer.restart"),
      Self.command("r3", "printer.print.pause"),
    ])
    bench.gateway.answer { request in
      if request.command == .resume { _ = try? await ScriptedTransport.silence() }
      return .done()
    }
    try await bench.run(try await bench.backend([:])) {
      await until { Self.pushes(bench).contains { $0["requestId"] == "r3" } }
    }
    #expect(bench.gateway.submitted.map(\.id) == ["r1", "r3"])
    #expect(bench.gateway.refused.map(\.id) == ["r2"])
    #expect(
      bench.outbox.entries.first { $0.item.key == "r2" }?.item.body["error"] == "agent stopping")
  }

  @Test("What comes again before its result has left gets that one, and no second")
  func owed() async throws {
    let again = Self.command("r1", "printer.print.pause")
    let look = Self.command("r2", "server.info", ["__method": "GET"])
    let left = Guarded([again])
    let isFree = Guarded(false)
    let bench = TestBench.reach(identity: Self.paired, takesPulls: true) {
      request, _ async throws(NetworkError) in
      switch request.path {
      case RelayEndpoint.push.path:
        if request.json["requestId"] == "r1" { await until { isFree.withLock { $0 } } }
        return .ok()
      case RelayEndpoint.pull.path:
        let next = left.withLock { $0.isEmpty ? JSONValue?.none : $0.removeFirst() }
        guard let next else { return try await ScriptedTransport.silence() }
        return .ok(["command": next])
      default: return .ok()
      }
    }
    // The pull that is answered with it was sent before: what is left is taken with the next.
    left.withLock { $0 += [again, look] }
    try await bench.run(try await bench.backend([:])) {
      await until { bench.gateway.submitted.map(\.id).contains("r2") }
      isFree.withLock { $0 = true }
      await until { Self.pushes(bench).count == 2 }
    }
    #expect(bench.gateway.submitted.map(\.id).sorted() == ["r1", "r2"])
    #expect(Self.pushes(bench).map { $0["requestId"] } == ["r1", "r2"])
  }

  @Test("A stop goes out also under the id of a command whose result has not left")
  func stopUnderKnownID() async throws {
    let left = Guarded([
      Self.command("r1", "printer.print.pause"), Self.command("r1", "printer.emergency_stop"),
    ])
    let bench = TestBench.reach(identity: Self.paired, takesPulls: true) {
      request, _ async throws(NetworkError) in
      switch request.path {
      case RelayEndpoint.push.path: return HTTPResponse(status: 503)
      case RelayEndpoint.pull.path:
        let next = left.withLock { $0.isEmpty ? JSONValue?.none : $0.removeFirst() }
        guard let next else { return try await ScriptedTransport.silence() }
        return .ok(["command": next])
      default: return .ok()
      }
    }
    try await bench.run(try await bench.backend([:])) {
      await until { bench.gateway.submitted.contains { $0.command == .emergencyStop } }
    }
    #expect(bench.gateway.submitted.map(\.command) == [.pause, .emergencyStop])
  }

  @Test("What a cancel has overtaken is not executed when it comes again")
  func overtakenAgain() async throws {
    let start = Self.command("r2", "printer.print.start", ["filename": "a.gcode"])
    let (commands, relay) = AsyncStream.makeStream(of: JSONValue.self)
    relay.yield(Self.command("r1", "printer.gcode.script", ["script": "G28"]))
    relay.yield(start)
    relay.yield(Self.command("r3", "printer.print.cancel"))
    let answers = Guarded<[JSONValue]>([])
    let bench = TestBench.reach(identity: Self.paired, takesPulls: true) {
      request, _ async throws(NetworkError) in
      if request.path == RelayEndpoint.push.path, request.json["requestId"] == "r2" {
        answers.withLock { $0.append(request.json["error"] ?? nil) }
      }
      guard request.path == RelayEndpoint.pull.path else { return .ok() }
      for await next in commands { return .ok(["command": next]) }
      return try await ScriptedTransport.silence()
    }
    let isCancelled = Guarded(false)
    bench.gateway.answer { request in
      if request.command == .cancel { isCancelled.withLock { $0 = true } }
      if case .gcode = request.command { await until { isCancelled.withLock { $0 } } }
      return .done()
    }
    try await bench.run(try await bench.backend([:])) {
      await until { answers.withLock { $0.count == 1 } }
      await bench.executor.idle()
      relay.yield(start)
      await until { answers.withLock { $0.count == 2 } }
    }
    let error: JSONValue = "a stop or a cancel came before its turn"
    #expect(answers.withLock { $0 } == [error, error])
    #expect(Set(bench.gateway.submitted.map(\.id)) == ["r1", "r2", "r3"])
    #expect(bench.gateway.refused.map(\.id) == ["r2"])
  }

  @Test("The relay ends this connector: answered, then parked; deleted there: forgotten here")
  func ends() async throws {
    for (name, message) in [
      ("system.shutdown", "agent shutting down"), ("system.uninstall", "agent uninstalling"),
    ] {
      let bench = Self.bench([Self.command("r1", name)])
      let backend = try await bench.backend([:])
      await #expect {
        try await backend.run()
      } throws: { ($0 as? BackendFailure)?.action == .park }
      #expect(
        Self.pushes(bench).map { $0["result"] }
          == [["status": "ok", "message": .string(message)]])
      #expect(bench.outbox.entries.isEmpty)
      #expect((bench.identity.identity == nil) == (name == "system.uninstall"))
      #expect(bench.gateway.submitted.isEmpty)
    }
  }

  @Test("Results that lie in the outbox for ten minutes are given up, younger ones go")
  func old() async throws {
    let bench = Self.bench([])
    await bench.outbox.put(CommandResult.completed("old", ["result": "ok"]).owed(), isFresh: false)
    bench.time.advance(by: .seconds(601))
    await bench.outbox.put(CommandResult.completed("new", ["result": "ok"]).owed(), isFresh: false)
    try await bench.run(try await bench.backend([:])) {
      await until { !Self.pushes(bench).isEmpty }
      await until { bench.outbox.entries.isEmpty }
    }
    #expect(Self.pushes(bench).map { $0["requestId"] } == ["new"])
    #expect(
      bench.outbox.verdicts.map(\.verdict) == [.reject("older than 10 minutes"), .accept])
  }
}
