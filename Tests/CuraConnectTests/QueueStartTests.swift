import ConnectorKit
import HTTPServer
import JSON
import Platform
import TestSupport
import Testing

@testable import CuraConnect

@Suite("What starts and what waits", .serialized) struct QueueStartTests {
  private let gcode = Array(";FLAVOR:Marlin\nG28\nG1 X1\n".utf8)

  private func starts(_ cura: CuraBench) -> Int { cura.commands.count { $0.kind == .start } }

  private func adds(_ cura: CuraBench) -> Int {
    cura.commands.count { if case .queue(.add) = $0 { true } else { false } }
  }

  // MARK: Moonraker's own starts

  @Test(
    "nothing is put into a queue from which Moonraker starts by itself",
    arguments: [
      QueueTransition(isAutomatic: true), QueueTransition(loadsOnStartup: true),
    ])
  func automaticQueue(_ transition: QueueTransition) async throws {
    let cura = try await CuraBench()
    cura.bench.queueTransition.withLock { $0 = .success(transition) }
    try await cura.run {
      cura.bench.printer.come(printState: "printing")
      let answer = try await cura.upload("a.gcode", gcode)
      #expect(answer.status == 201)
      try await cura.settle(["pre_print", "error"])
      #expect(adds(cura) == 0)
      #expect(cura.queued.isEmpty)
      let page = try await cura.send("GET", "/print_jobs").text
      #expect(page.contains(transition.options[0]))
      await until { cura.bench.health.contains { if case .degraded = $0 { true } else { false } } }
      // The bed is clear: a job that need not wait starts.
      cura.bench.printer.print("complete")
      cura.bench.isBedClear.withLock { $0 = true }
      await until { !cura.backend.hub.reading.isJobOn }
      _ = try await cura.upload("b.gcode", gcode)
      await until { starts(cura) == 1 }
      #expect(adds(cura) == 0)
    }
  }

  @Test("while it is not known whether Moonraker starts by itself, nothing is queued either")
  func unknownTransition() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    cura.bench.queueTransition.withLock {
      $0 = .failure(CommandFailure(.timeout, "no answer"))
    }
    try await cura.run {
      cura.bench.printer.come()
      _ = try await cura.upload("a.gcode", gcode)
      try await cura.settle(["error"])
      #expect(adds(cura) == 0)
    }
  }

  @Test("a queue from which Moonraker starts by itself is not laid anew")
  func automaticMove() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    try await cura.run {
      cura.bench.printer.come()
      for name in ["a.gcode", "b.gcode"] { _ = try await cura.upload(name, gcode) }
      await until { cura.backend.hub.queue.count == 2 }
      cura.bench.queueTransition.withLock { $0 = .success(QueueTransition(isAutomatic: true)) }
      let uuid = try #require(try await cura.jobs().first?["uuid"]?.string)
      let answer = try await cura.send(
        "POST", "/cluster-api/v1/print_jobs/\(uuid)/action/move", json: "{\"to_position\": 1}")
      #expect(answer.status == 409)
      #expect(cura.queued == ["a.gcode", "b.gcode"])
    }
  }

  // MARK: Jobs that are known again

  @Test("jobs stay what they are when Mainsail lays the queue anew: Griffin does not start")
  func relaid() async throws {
    let cura = try await CuraBench(["auto_start": .string("always")])
    try await cura.run {
      cura.bench.printer.come()
      _ = try await cura.upload("a.gcode", Array(";FLAVOR:Griffin\n".utf8))
      _ = try await cura.upload("b.gcode", gcode)
      await until { cura.backend.hub.queue.count == 2 }
      let before = try await cura.jobs().compactMap { $0["uuid"]?.string }
      cura.relay(["a.gcode", "b.gcode"])
      await until { cura.backend.hub.queue.contains { $0.phase == .queued(ticket(3)) } }
      #expect(try await cura.jobs().compactMap { $0["uuid"]?.string } == before)
      #expect(try await cura.jobs().compactMap { $0["owner"]?.string } == ["alice", "alice"])
      cura.bench.isBedClear.withLock { $0 = true }
      for _ in 0..<5 {
        cura.bench.time.advance(by: .seconds(6))
        _ = try await cura.jobs()
      }
      #expect(starts(cura) == 0)
    }
  }

  private func ticket(_ id: Int) -> QueueTicket {
    QueueTicket(jobID: "\(id)", timeAdded: Double(id))
  }

  @Test("what was taken out of the queue while we were away does not start on its memory")
  func unseenQueue() async throws {
    let cura = try await CuraBench(["auto_start": .string("always")])
    try await cura.run {
      cura.bench.printer.come()
      _ = try await cura.upload("a.gcode", gcode)
      await until { cura.backend.hub.queue.count == 1 }
      cura.bench.printer.leave()
      await until { !cura.backend.hub.isQueueSeen }
      cura.dequeue("a.gcode")
      cura.tellsQueue.withLock { $0 = false }
      cura.bench.isBedClear.withLock { $0 = true }
      cura.bench.printer.come()
      for _ in 0..<3 {
        cura.bench.time.advance(by: .seconds(6))
        _ = try await cura.jobs()
      }
      #expect(starts(cura) == 0)
      let uuid = try #require(try await cura.jobs().first?["uuid"]?.string)
      let path = "/cluster-api/v1/print_jobs/\(uuid)"
      let start = try await cura.send("PUT", "\(path)/action", json: "{\"action\":\"print\"}")
      #expect(start.status == 503)
      #expect(try await cura.send("PUT", path, json: "{\"force\":true}").status == 503)
      #expect(starts(cura) == 0)
    }
  }

  // MARK: Starts

  @Test(
    "a start that fails when Klipper prints already is not repeated, and does not wait again",
    arguments: [true, false])
  func failedButBegun(_ isUploaded: Bool) async throws {
    let cura = try await CuraBench(["auto_start": .string(isUploaded ? "when_clear" : "never")])
    cura.bench.isBedClear.withLock { $0 = true }
    cura.start.withLock { $0 = CommandOutcome(.failed, .printerRefused, "Unknown LED", code: 400) }
    cura.onStart.withLock { [printer = cura.bench.printer] in
      $0 = {
        printer.update { status in
          status.objects["print_stats"] = [
            "state": "printing", "filename": "a.gcode", "print_duration": 0,
          ]
        }
      }
    }
    try await cura.run {
      cura.bench.printer.come()
      _ = try await cura.upload("a.gcode", gcode)
      if !isUploaded {
        await until { cura.queued == ["a.gcode"] }
        let uuid = try #require(try await cura.jobs().first?["uuid"]?.string)
        _ = try await cura.send(
          "PUT", "/cluster-api/v1/print_jobs/\(uuid)/action", json: "{\"action\":\"print\"}")
      }
      try await cura.settle(["pre_print"])
      await until { cura.queued.isEmpty }
      for _ in 0..<3 {
        cura.bench.time.advance(by: .seconds(2))
        _ = try await cura.jobs()
      }
      #expect(try await cura.jobs().compactMap { $0["owner"]?.string } == ["alice"])
      #expect(cura.queued.isEmpty)
      #expect(starts(cura) == 1)
    }
  }

  @Test("a start that the disk does not take is not sent")
  func diskFull() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    try await cura.run {
      cura.bench.printer.come()
      _ = try await cura.upload("a.gcode", gcode)
      await until { cura.queued == ["a.gcode"] }
      try await cura.settle(["queued"])
      let isSaved = await cura.backend.hub.keeper.flush()
      #expect(isSaved)
      cura.bench.identity.failSaves(1_000)
      let uuid = try #require(try await cura.jobs().first?["uuid"]?.string)
      let answer = try await cura.send(
        "PUT", "/cluster-api/v1/print_jobs/\(uuid)/action", json: "{\"action\":\"print\"}")
      #expect(answer.status == 503)
      #expect(starts(cura) == 0)
      try await cura.settle(["queued"])
      cura.bench.identity.failSaves(0)
    }
  }

  @Test("what took more than half an hour to arrive waits, and its sender's old wish is old")
  func slowUpload() async throws {
    let cura = try await CuraBench()
    cura.bench.isBedClear.withLock { $0 = true }
    try await cura.run {
      cura.bench.printer.come()
      let slots = cura.backend.hub.line
      // It waits in line, as behind others.
      #expect(await slots.take())
      let upload = Task { try await cura.upload("a.gcode", gcode) }
      await until { !cura.bench.gateway.uploads.isEmpty }
      cura.bench.time.advance(by: .seconds(1_801))
      slots.leave()
      _ = try await upload.value
      await until { cura.queued == ["a.gcode"] }
      #expect(starts(cura) == 0)
      let page = try await cura.send("GET", "/print_jobs").text
      #expect(page.contains("30 minutes"))
    }
  }

  @Test("an action is as old as its request's header")
  func oldAction() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    try await cura.run {
      cura.bench.printer.come()
      _ = try await cura.upload("a.gcode", gcode)
      try await cura.settle(["queued"])
      let uuid = try #require(try await cura.jobs().first?["uuid"]?.string)
      let port = try #require(cura.bench.listener.port(for: 8_008))
      let body = "{\"action\":\"print\"}"
      let client = RawClient(port: port)
      client.send(
        "PUT /cluster-api/v1/print_jobs/\(uuid)/action HTTP/1.1\r\nHost: 192.168.1.20\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n")
      // The server has seen the header once it has answered another request.
      _ = try await cura.jobs()
      cura.bench.time.advance(by: .seconds(50))
      client.send(body)
      #expect(await client.laterAnswer()?.status == 200)
      let start = try #require(cura.bench.gateway.submitted.last { $0.command.kind == .start })
      #expect((start.age ?? .zero) >= .seconds(50))
    }
  }

  @Test("a refused start leaves the finished job where it was")
  func refusedStart() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    cura.start.withLock { $0 = CommandOutcome(.refused, .wrongState, "no") }
    try await cura.run {
      cura.bench.printer.come(printState: "printing")
      try await cura.settle(["pre_print"])
      cura.bench.printer.print("complete")
      try await cura.settle(["wait_cleanup"])
      _ = try await cura.upload("a.gcode", gcode)
      try await cura.settle(["wait_cleanup", "queued"])
      let uuid = try #require(try await cura.jobs().last?["uuid"]?.string)
      let answer = try await cura.send(
        "PUT", "/cluster-api/v1/print_jobs/\(uuid)/action", json: "{\"action\":\"print\"}")
      #expect(answer.status == 409)
      #expect(try await cura.words() == ["wait_cleanup", "queued"])
    }
  }

  @Test("a bed that will be assumed to be clear is not tried before its time")
  func assumedBed() async throws {
    let cura = try await CuraBench([
      "auto_start": .string("always"), "assume_clear_after": .duration(.seconds(600)),
    ])
    try await cura.run {
      cura.bench.printer.come(printState: "printing")
      try await cura.settle(["pre_print"])
      _ = try await cura.upload("a.gcode", gcode)
      await until { cura.queued == ["a.gcode"] }
      cura.bench.printer.print("complete")
      try await cura.settle(["wait_cleanup", "queued"])
      for _ in 0..<9 {
        cura.bench.time.advance(by: .seconds(60))
        _ = try await cura.jobs()
      }
      #expect(starts(cura) == 0)
      await until {
        cura.bench.time.advance(by: .seconds(6))
        return starts(cura) == 1
      }
    }
  }

  @Test("a job that is being started is neither deleted nor moved")
  func besideStart() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    try await cura.run {
      cura.bench.printer.come()
      for name in ["a.gcode", "b.gcode", "c.gcode"] { _ = try await cura.upload(name, gcode) }
      await until { cura.backend.hub.queue.count == 3 }
      let uuids = try await cura.jobs().compactMap { $0["uuid"]?.string }
      let hub = cura.backend.hub
      // As it is while Klipper has not answered.
      let begins = hub.change { $0.beginStart(uuids[0], at: cura.bench.time.now) }
      #expect(begins)
      let path = "/cluster-api/v1/print_jobs"
      #expect(try await cura.send("DELETE", "\(path)/\(uuids[0])").status == 409)
      let move = try await cura.send(
        "POST", "\(path)/\(uuids[1])/action/move", json: "{\"to_position\": 1}")
      #expect(move.status == 409)
      #expect(cura.queued == ["a.gcode", "b.gcode", "c.gcode"])
      hub.change {
        $0.startFailed(
          uuids[0], back: .queued(QueueTicket(jobID: "1", timeAdded: 1)), "no")
      }
      #expect(hub.queue.compactMap(\.uuid) == uuids)
    }
  }

  // MARK: Files

  @Test(
    "an upload goes nowhere while it is not known which names are taken",
    arguments: [
      (CommandOutcome(.failed, .printerRefused, "Internal Server Error", code: 500), 503),
      (CommandOutcome(.failed, .printerRefused, "Unauthorized", code: 401), 503),
      (
        CommandOutcome(.failed, .printerRefused, "Directory does not exist (gcodes)", code: 400),
        201
      ),
    ])
  func unknownNames(_ outcome: CommandOutcome, _ status: Int) async throws {
    let cura = try await CuraBench()
    cura.folder.withLock { $0 = outcome }
    try await cura.run {
      cura.bench.printer.come()
      let answer = try await cura.upload("a.gcode", gcode)
      #expect(answer.status == status)
      #expect(cura.bench.gateway.uploads.isEmpty == (status != 201))
    }
  }

  @Test("a spent place whose id somebody else's job has now is not taken out of the queue")
  func reusedID() async throws {
    let cura = try await CuraBench(["auto_start": .string("never")])
    try await cura.run {
      cura.bench.printer.come()
      cura.enqueue("theirs.gcode")
      try await cura.settle(["queued"])
      let old = QueueTicket(jobID: "1", timeAdded: 0.5)
      await JobDesk(hub: cura.backend.hub).clearSpent([old])
      #expect(cura.queued == ["theirs.gcode"])
    }
  }

  @Test("one visitor does not hold all of a proxy's connections")
  func manyBodies() async throws {
    let cura = try await CuraBench()
    try await cura.run {
      let port = try #require(cura.bench.listener.port(for: 8_008))
      let path = "/cluster-api/v1/print_jobs/x/action"
      func visitor(_ number: Int) -> String { "X-Forwarded-For: 192.168.1.\(number)\r\n" }
      let held = (0..<24).map { _ in RawClient(port: port) }
      for client in held {
        client.send(
          "PUT \(path) HTTP/1.1\r\nHost: 192.168.1.20\r\n\(visitor(7))Content-Length: 100\r\n\r\n")
      }
      var status: Int?
      for _ in 0..<50 where status != 503 {
        status = try await cura.send("PUT", path, fields: visitor(7), body: Array("[]".utf8)).status
      }
      #expect(status == 503)
      let other = try await cura.send("PUT", path, fields: visitor(8), body: Array("[]".utf8))
      #expect(other.status == 400)
      // Each that ends makes room.
      held[0].send([UInt8](repeating: 32, count: 100))
      #expect(await held[0].laterAnswer()?.status == 400)
      let next = try await cura.send("PUT", path, fields: visitor(7), body: Array("[]".utf8))
      #expect(next.status == 400)
      withExtendedLifetime(held) {}
    }
  }
}
