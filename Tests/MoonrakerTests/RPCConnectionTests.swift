import JSON
import Moonraker
import Networking
import Platform
import TestSupport
import Testing

@Suite("JSON-RPC over a connection") struct RPCConnectionTests {
  let time = ManualTime()

  /// A call's outcome as a value.
  func outcome(
    _ rpc: RPCConnection, _ method: String, timeout: Duration? = .seconds(10)
  ) async -> Result<JSONValue, RPCFailure> {
    do throws(RPCFailure) { return .success(try await rpc.call(method, timeout: timeout)) } catch {
      return .failure(error)
    }
  }

  /// Runs `body` while a task reads the connection.
  func whileReading<Result: Sendable>(
    _ rpc: RPCConnection, _ body: @Sendable () async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while true {
          do { _ = try await rpc.receive() } catch { return }
        }
      }
      let result = try await body()
      group.cancelAll()
      return result
    }
  }

  @Test("answers find their calls whatever their order") func concurrentCalls() async throws {
    let wire = ScriptedConnection(time: time)
    let rpc = RPCConnection(wire, time: time)
    let results = try await whileReading(rpc) {
      try await withThrowingTaskGroup(of: (Int, JSONValue).self) { group in
        for number in 0..<20 {
          group.addTask { (number, try await rpc.call("echo", ["number": .integer(number)])) }
        }
        var requests: [JSONValue] = []
        for _ in 0..<20 { requests.append(try #require(await wire.nextRequest())) }
        for request in requests.reversed() {
          wire.answer(request, try #require(request["params"]?["number"]))
        }
        return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
    }
    #expect(results == Dictionary(uniqueKeysWithValues: (0..<20).map { ($0, .integer($0)) }))
  }

  @Test("a request is JSON-RPC 2.0, without params where there are none")
  func request() async throws {
    let wire = ScriptedConnection(time: time)
    let rpc = RPCConnection(wire, time: time)
    try await whileReading(rpc) {
      async let answer = outcome(rpc, "server.info")
      let request = try #require(await wire.nextRequest())
      #expect(request == ["jsonrpc": "2.0", "method": "server.info", "id": 1])
      wire.answer(request, ["klippy_state": "ready"])
      let answerOutcome = await answer
      #expect(answerOutcome == .success(["klippy_state": "ready"]))
    }
  }

  @Test("an error carries code and message") func refused() async throws {
    let wire = ScriptedConnection(time: time)
    let rpc = RPCConnection(wire, time: time)
    try await whileReading(rpc) {
      async let answer = outcome(rpc, "printer.gcode.script")
      wire.refuse(try #require(await wire.nextRequest()), code: 400, "Must home axis first")
      let answerOutcome = await answer
      #expect(answerOutcome == .failure(.refused(code: 400, message: "Must home axis first")))
    }
  }

  @Test("an answer that is too late is a time-out, and comes to nobody") func timesOut()
    async throws
  {
    let wire = ScriptedConnection(time: time)
    let rpc = RPCConnection(wire, time: time)
    try await whileReading(rpc) {
      async let answer = outcome(rpc, "server.info", timeout: .seconds(10))
      let request = try #require(await wire.nextRequest())
      #expect(time.now.duration(to: await time.nextDeadline()) == .seconds(10))
      await time.advanceToNextDeadline()
      let answerOutcome = await answer
      #expect(answerOutcome == .failure(.timedOut))
      wire.answer(request, "late")
      async let next = outcome(rpc, "server.info")
      wire.answer(try #require(await wire.nextRequest()), "in time")
      let nextOutcome = await next
      #expect(nextOutcome == .success("in time"))
    }
  }

  @Test("a peer that does not read is a time-out too") func stuck() async throws {
    let rpc = RPCConnection(ScriptedConnection(time: time, isStuck: true), time: time)
    async let answer = outcome(rpc, "server.info")
    await time.advanceToNextDeadline()
    let answerOutcome = await answer
    #expect(answerOutcome == .failure(.timedOut))
  }

  @Test("the connection's end fails what is pending and what comes after") func connectionEnds()
    async throws
  {
    let wire = ScriptedConnection(time: time)
    let rpc = RPCConnection(wire, time: time)
    try await whileReading(rpc) {
      async let first = outcome(rpc, "a", timeout: nil)
      async let second = outcome(rpc, "b")
      for _ in 0..<2 { _ = await wire.nextRequest() }
      wire.drop("1001 Server Shutdown")
      let firstOutcome = await first
      #expect(firstOutcome == .failure(.connectionLost("1001 Server Shutdown")))
      let secondOutcome = await second
      #expect(secondOutcome == .failure(.connectionLost("1001 Server Shutdown")))
      await #expect(throws: RPCFailure.notSent("1001 Server Shutdown")) {
        try await rpc.call("c")
      }
    }
  }

  @Test("a cancelled call ends at once") func cancelled() async throws {
    let wire = ScriptedConnection(time: time)
    let rpc = RPCConnection(wire, time: time)
    await withTaskGroup(of: RPCFailure?.self) { group in
      group.addTask {
        do throws(RPCFailure) {
          _ = try await rpc.call("a", timeout: nil)
          return nil
        } catch {
          return error
        }
      }
      _ = await wire.nextRequest()
      group.cancelAll()
      #expect(await group.next() == .cancelled)
    }
  }

  @Test("nonsense ends the connection") func nonsense() async throws {
    let wire = ScriptedConnection(time: time)
    let rpc = RPCConnection(wire, time: time)
    wire.say("<html>")
    do {
      _ = try await rpc.receive()
      Issue.record("nonsense was taken")
    } catch {
      #expect(error.kind == .protocolViolation)
    }
    #expect(wire.isClosed)
    #expect(rpc.end?.contains("nonsense") == true)
  }

  @Test("somebody's request is handed out and can be refused") func incomingRequest() async throws {
    let wire = ScriptedConnection(time: time)
    let rpc = RPCConnection(wire, time: time)
    wire.say(#"{"jsonrpc":"2.0","method":"status","id":77}"#)
    let messages = try await rpc.receive()
    #expect(messages == [.request(id: 77, method: "status", params: nil)])
    await rpc.refuse(id: 77, code: -32601, message: "Method not found")
    #expect(
      await wire.nextRequest() == [
        "jsonrpc": "2.0", "id": 77, "error": ["code": -32601, "message": "Method not found"],
      ])
  }
}
