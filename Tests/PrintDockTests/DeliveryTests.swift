import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PrintDock

@Suite("PrintDock's results, delivered", .timeLimit(.minutes(2))) struct DeliveryTests {
  private func command(_ id: Int, _ action: String, _ params: String = "{}") -> String {
    PaperCloud.command(id, action, params)
  }

  private func item(_ id: String, _ result: JSONObject = [:]) -> OwedItem {
    var result = result
    result["action"] = "sync_files"
    return OwedItem(
      key: id, kind: Completion.kind,
      body: ["status": "failed", "result": .object(result), "error_message": "x"])
  }

  @Test("The snapshot of the new state goes before the completion")
  func postSnapshot() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    bench.printer.come(printState: "printing")
    cloud.hand(command(1, "pause"))
    try await bench.serve(["push_snapshots_seconds": .duration(.seconds(3_600))]) {
      await bench.pass { bench.gateway.submitted.count == 1 }
      // Accepted, but not shown yet: the result waits for it.
      await bench.executor.idle()
      #expect(bench.completions.isEmpty)
      bench.printer.update { $0.objects["toolhead"]?["print_time"] = 5 }
      await bench.executor.idle()
      #expect(bench.completions.isEmpty)
      bench.printer.print("paused")
      await bench.pass { bench.completions.count == 1 }
    }
    let order = bench.transport.requests.map(\.cloudCall)
    let completion = try #require(order.firstIndex(of: "complete"))
    let snapshot = try #require(order[..<completion].lastIndex(of: "batch"))
    let shown = bench.transport.requests[snapshot].json["snapshots"]?.array?.first
    #expect(shown?["payload"]?["result"]?["status"]?["print_stats"]?["state"] == "paused")
    #expect(bench.completions.first?["result"]?["post_snapshot"] == "captured")
  }

  @Test("A new state that is being told already is not told once more before the result")
  func oneSnapshot() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    let (gate, script) = (Gate(), cloud.script)
    bench.transport.follow { request, number async throws(NetworkError) in
      if request.cloudCall == "batch" { await gate.wait() }
      return try await script(request, number)
    }
    bench.printer.come(printState: "printing")
    cloud.hand(command(1, "pause"))
    try await bench.serve(["push_snapshots_seconds": .duration(.seconds(3_600))]) {
      await bench.pass { bench.gateway.submitted.count == 1 }
      bench.printer.print("paused")
      await until { !bench.calls("batch").isEmpty }
      await bench.executor.idle()
      #expect(bench.completions.isEmpty)
      gate.open()
      await bench.pass { bench.completions.count == 1 }
    }
    #expect(bench.calls("batch").count == 1)
  }

  @Test("A printer that shows nothing new is waited for a second, no longer")
  func quietPrinter() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    cloud.hand(command(1, "homing"))
    try await bench.serve {
      await bench.pass { bench.gateway.submitted.count == 1 }
      let accepted = bench.time.now
      await bench.pass { bench.completions.count == 1 }
      #expect(accepted.duration(to: bench.time.now) == .seconds(1))
    }
    #expect(bench.completions.first?["result"]?["post_snapshot"] == "captured")
  }

  @Test("Without a printer the result says why no snapshot went before")
  func printerAway() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(identity: TestBench.paired, cloud.script)
    cloud.hand(command(1, "sync_files"))
    try await bench.serve { await bench.pass { bench.completions.count == 1 } }
    let result = bench.completions.first?["result"]
    #expect(result?["post_snapshot"] == nil)
    #expect(result?["post_snapshot_error"] == "Moonraker is not connected")
    #expect(bench.calls("batch").isEmpty)
  }

  @Test("What is owed from before a restart is brought as it was stored, without a snapshot")
  func restart() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    for (id, body) in [
      ("1", ["status": "succeeded", "result": ["action": "pause"]]),
      ("2", ["status": "succeeded", "result": ["action": "pause", "post_snapshot": "captured"]]),
    ] as [(String, JSONObject)] {
      await bench.outbox.keep(OwedItem(key: id, kind: Completion.kind, body: body))
    }
    try await bench.serve { await bench.pass { bench.completions.count == 2 } }
    #expect(
      bench.completions.map { $0["result"] } == [
        ["action": "pause"], ["action": "pause", "post_snapshot": "captured"],
      ])
    #expect(bench.outbox.entries.isEmpty)
    #expect(bench.calls("batch").isEmpty)
  }

  @Test(
    "A command that comes again is answered as the first time, without another snapshot",
    arguments: [false, true])
  func again(printerLeaves: Bool) async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    cloud.hand(command(1, "sync_files"))
    try await bench.serve([
      "push_snapshots_seconds": .duration(.seconds(3_600)),
      "heartbeat_seconds": .duration(.seconds(50)),
    ]) {
      await bench.pass { bench.completions.count == 1 }
      #expect(bench.calls("batch").count == 1)
      if printerLeaves { bench.printer.leave() }
      cloud.hand(command(1, "sync_files"))
      await bench.pass { bench.completions.count == 2 }
    }
    #expect(bench.calls("batch").count == 1)
    #expect(Set(bench.calls("complete").map(\.body)).count == 1)
    #expect(bench.completions.first?["result"]?["post_snapshot"] == "captured")
  }

  @Test("Trouble is waited out, in order, with growing pauses, until PrintDock takes each")
  func trouble() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    cloud.answerCompletions(.json(500, "{}"), .json(503, "{}"), HTTPResponse(status: 302))
    await bench.outbox.put(item("1"))
    await bench.outbox.put(item("2"))
    var moments: [Duration] = []
    let start = bench.time.now
    try await bench.serve {
      for count in 1...4 {
        await bench.pass { bench.calls("complete").count >= count }
        moments.append(start.duration(to: bench.time.now))
      }
      await bench.pass { bench.outbox.entries.isEmpty }
    }
    #expect(moments == [.zero, .seconds(1), .seconds(3), .seconds(7)])
    #expect(
      bench.outbox.verdicts.map { "\($0.key) \($0.verdict)" } == [
        "1 keep", "1 keep", "1 keep", "1 accept", "2 accept",
      ])
    #expect(Set(bench.calls("complete").dropLast().map { $0.body }).count == 1)
  }

  @Test(
    "A result that PrintDock will never take is dropped with a warning",
    arguments: [
      404, 409, 410, 422, 400, 413,
    ])
  func dropped(status: Int) async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    cloud.answerCompletions(.json(status, #"{"error":"Command not found"}"#))
    await bench.outbox.put(item("1"))
    await bench.outbox.put(item("2"))
    try await bench.serve {
      await bench.pass { bench.outbox.entries.isEmpty }
      #expect(bench.health.last == .online)
    }
    #expect(bench.completions.count == 2)
    guard case .reject? = bench.outbox.verdicts.first?.verdict else {
      Issue.record("it was not rejected")
      return
    }
    #expect(bench.log.lines.count { $0.contains("result of command 1 is dropped") } == 1)
  }

  @Test("Too large a result is sent again at once, without its list")
  func shortened() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    cloud.answerCompletions(.json(413, "{}"))
    await bench.outbox.put(item("1", ["files": [["path": "a"]], "count": 1]))
    try await bench.serve { await bench.pass { bench.outbox.entries.isEmpty } }
    #expect(bench.completions.count == 2)
    #expect(
      bench.completions.last?["result"]
        == ["count": 1, "action": "sync_files", "truncated": true])
  }

  @Test("A list that no outbox holds is shortened before it is stored")
  func huge() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    let files = (0..<40_000).map { number -> JSONValue in
      ["path": .string("\(number)-\(String(repeating: "n", count: 80)).gcode"), "size": 1]
    }
    bench.gateway.answer { _ in .done(.array(files)) }
    cloud.hand(command(1, "sync_files"))
    try await bench.serve { await bench.pass { bench.completions.count == 1 } }
    let result = bench.completions.first?["result"]
    #expect(result?["files"] == nil)
    #expect(result?["count"] == 40_000)
    #expect(result?["truncated"] == true)
  }

  @Test(
    "Refused credentials stop every loop but one heartbeat a minute, wherever they are noticed",
    arguments: [
      "commands", "complete", "webcam_requests",
    ])
  func refused(kind: String) async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    bench.webcams.list(.success(true))
    try await bench.serve {
      await bench.pass(.seconds(31))
      for kind in ["heartbeat", "batch", "commands", "complete", "webcam_requests"] {
        cloud.answer(kind, kind == "heartbeat" ? nil : 401)
      }
      // The heartbeat alone is still let in; the first of the others that is not stops them all.
      if kind == "complete" { await bench.outbox.put(item("1")) }
      await bench.pass { bench.transport.requests.last?.cloudCall == kind }
      for kind in ["heartbeat"] { cloud.answer(kind, 401) }
      await bench.pass(.seconds(1))
      let before = bench.transport.requests.count
      await bench.pass(.seconds(300))
      let after = bench.transport.requests.dropFirst(before)
      #expect((4...5).contains(after.count))
      #expect(after.allSatisfy { $0.cloudCall == "heartbeat" })
      for kind in ["heartbeat", "batch", "commands", "complete", "webcam_requests"] {
        cloud.answer(kind, nil)
      }
      let polls = bench.calls("commands").count
      await bench.pass(.seconds(75))
      #expect(bench.calls("commands").count > polls)
      #expect(bench.outbox.entries.isEmpty)
      #expect(bench.health.last == .online)
    }
  }
}

extension MemoryOutbox {
  /// Puts in an item that was found in the store at the start.
  fileprivate func keep(_ item: OwedItem) async { await put(item, isFresh: false) }
}
