import ConnectorKit
import JSON
import Networking
import Platform
import SocketIO
import TestSupport
import Testing

@testable import PolarCloud

@Suite("Polar: a job's end is reported once, and as it was") struct ReportTests {
  private static let url = "https://files.test/cube.gcode"
  private static func order(_ id: String) -> String {
    #"{"jobId":"\#(id)","jobName":"Cube","gcodeFile":"\#(url)"}"#
  }

  private func bench(_ identity: JSONObject = PolarBench.registered) -> PolarBench {
    let polar = PolarBench(identity: identity)
    polar.bench.printer.come()
    polar.bench.transfers.offer(Array("G28\n".utf8), at: Self.url)
    return polar
  }

  private func owe(_ polar: PolarBench, _ id: String) async {
    await polar.bench.outbox.put(
      OwedItem(
        key: JobEnd.key(id), kind: JobEnd.kind,
        body: ["serialNumber": "KL000001", "jobId": .string(id), "state": "completed"]))
  }

  /// A session on paper that is online and owes the end of job `ac`.
  private func online(_ time: ManualTime) -> PolarSession {
    var record = PolarRecord()
    record.serialNumber = "KL000001"
    let status = PrinterStatus(startedAt: time.now, wallTime: time.wallTime)
    let reading = PolarReading(status)
    var session = PolarSession(
      record,
      rules: PolarSession.Rules(
        host: "h", credentials: "", username: nil, canRegister: false,
        statusInterval: .seconds(60), allowsGcode: false, isOnce: false, random: { 0.5 },
        wallTime: { [wallTime = time.wallTime] in wallTime }),
      images: ImageDesk(isOn: false, printingInterval: .seconds(10), idleInterval: .seconds(60)),
      reading: reading, now: time.now)
    let body: JSONObject = ["serialNumber": "KL000001", "jobId": "ac", "state": "completed"]
    for event in [
      PolarSession.Event.tick, .opened, .received(.welcome(challenge: "c")),
      .received(.greeted(.accepted)), .owed(PolarSession.OwedEnd(jobID: "ac", body: body)),
    ] {
      _ = session.handle(event, reading: reading, now: time.now)
    }
    return session
  }

  private func settles(_ actions: [PolarSession.Action]) -> Bool {
    actions.contains { if case .settle = $0 { true } else { false } }
  }

  @Test("A report that has not gone out is not taken by anybody: whatever comes, however it ends")
  func notSent() {
    let time = ManualTime()
    var session = online(time)
    let reading = session.reading
    #expect(session.delivery == .given)
    let later = time.now.advanced(by: .seconds(3))
    #expect(!settles(session.handle(.tick, reading: reading, heard: later, now: later)))
    let closure = SocketIOClosure(.endedByServer, "ended")
    #expect(!settles(session.handle(.ended(closure), reading: reading, now: later)))
    #expect(session.delivery == .due && session.owed != nil)
  }

  @Test(
    "One that has gone out is taken by the WebSocket's answer; without one only by a server that goes on for long"
  )
  func sent() {
    let time = ManualTime()
    var session = online(time)
    let reading = session.reading
    var now = time.now
    _ = session.handle(.reportSent(jobID: "ac"), reading: reading, heard: now, now: now)
    now = now.advanced(by: .seconds(10))
    #expect(!settles(session.handle(.tick, reading: reading, heard: now, now: now)))
    var answered = session
    #expect(settles(answered.handle(.reportTaken(jobID: "ac"), reading: reading, now: now)))
    _ = session.handle(.reportUnanswered(jobID: "ac"), reading: reading, heard: now, now: now)
    let soon = now.advanced(by: .seconds(59))
    #expect(!settles(session.handle(.tick, reading: reading, heard: soon, now: soon)))
    let late = now.advanced(by: .seconds(61))
    #expect(settles(session.handle(.tick, reading: reading, heard: late, now: late)))
  }

  @Test(
    "A cloud that accepts the greeting and ends the connection in one flight gets the report next time"
  )
  func greetedAndGone() async throws {
    let polar = bench()
    await owe(polar, "ac01")
    try await polar.run {
      let cloud = try await polar.cloud()
      _ = try await cloud.event("hello")
      cloud.socket.sayLast(
        #"42["helloResponse",{"serialNumber":"KL000001","status":"SUCCESS"}]"#)
      await polar.bench.executor.idle()
      polar.bench.time.advance(by: .seconds(10))
      let second = try await polar.greetedCloud(2)
      #expect(try await second.event("job")["jobId"] == "ac01")
    }
  }

  @Test("What the gate has refused and comes again is not reported again")
  func repeated() async throws {
    let polar = bench()
    polar.bench.printer.update {
      $0.objects["print_stats"] = BackendTests.stats("printing", 5, file: "own.gcode")
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("print", Self.order("ac02"))
      _ = try await cloud.event("job")
      await until { polar.bench.outbox.entries.isEmpty }
      polar.bench.printer.come()
      await polar.bench.executor.idle()
      cloud.say("print", Self.order("ac02"))
      await until { polar.bench.gateway.submitted.contains { $0.id == "print ac02" } }
      await polar.bench.executor.idle()
      polar.bench.time.advance(by: .seconds(100))
      await polar.bench.executor.idle()
      #expect(cloud.bodies("job").count == 1)
      #expect(polar.bench.outbox.entries.isEmpty)
      #expect(polar.bench.identity.identity?["job"] == nil)
    }
  }

  @Test("A start that cannot be noted is not sent")
  func notNoted() async throws {
    let polar = bench()
    let transfers = SlowTransfers(polar.bench)
    try await polar.run(with: { $0.transfers = transfers }) {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("print", Self.order("ac03"))
      await until { transfers.count == 1 }
      polar.bench.identity.failSaves(1)
      transfers.gate.open()
      #expect(try await cloud.event("job")["state"] == "canceled")
    }
  }

  @Test(
    "A job that the original has begun is taken up by its file's name; where jobs were reported, it is the owner's",
    arguments: [true, false])
  func takenUp(isFirst: Bool) async throws {
    var identity = PolarBench.registered
    if !isFirst { identity["reported_jobs"] = ["ac99"] }
    let polar = bench(identity)
    polar.bench.printer.update {
      $0.objects["print_stats"] = BackendTests.stats("printing", 60, file: "x_cloud_ac04.gcode")
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      let status = try #require(cloud.bodies("status").first)
      #expect(status["jobId"] == (isFirst ? "ac04" : nil) && status["status"] == (isFirst ? 3 : 1))
      polar.bench.printer.update {
        $0.objects["print_stats"] = BackendTests.stats("complete", 90, file: "x_cloud_ac04.gcode")
      }
      if isFirst { #expect(try await cloud.event("job")["state"] == "completed") }
      await polar.bench.executor.idle()
      #expect(cloud.bodies("job").count == (isFirst ? 1 : 0))
    }
  }

  @Test("A start of which nobody knows what became is waited for as long as Klipper may take")
  func unknownStart() async throws {
    let polar = bench()
    polar.bench.gateway.answer { request in
      if case .start = request.command {
        return CommandOutcome(.unknown, .interrupted, "connection lost")
      }
      return .done()
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("print", Self.order("ac05"))
      await until { polar.bench.gateway.submitted.contains { $0.id == "print ac05" } }
      for _ in 0..<30 {
        await polar.bench.executor.idle()
        polar.bench.time.advance(by: .seconds(5))
        polar.bench.printer.update { _ in }
        cloud.socket.say("2")
      }
      await polar.bench.executor.idle()
      #expect(cloud.bodies("job").isEmpty)
      polar.bench.printer.update {
        $0.objects["print_stats"] = BackendTests.stats(
          "complete", 90, file: "Cube_cloud_ac05.gcode")
      }
      #expect(try await cloud.event("job")["state"] == "completed")
    }
  }

  @Test(
    "A job that ended while nobody looked is reported as Moonraker's history has it",
    arguments: [("completed", "completed"), ("cancelled", "canceled"), ("", "canceled")])
  func history(status: String, due: String) async throws {
    var identity = PolarBench.registered
    identity["job"] = ["id": "ac06", "path": "x_cloud_ac06.gcode", "phase": "started"]
    let polar = bench(identity)
    polar.bench.gateway.answer { request in
      guard case .history = request.command, !status.isEmpty else { return .done() }
      return .done([
        "jobs": [
          ["filename": "other.gcode", "status": "error"],
          [
            "filename": "x_cloud_ac06.gcode", "status": .string(status), "print_duration": 61.5,
            "filament_used": 12.5,
          ],
        ]
      ])
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      for _ in 0..<13 {
        await polar.bench.executor.idle()
        polar.bench.time.advance(by: .seconds(5))
        polar.bench.printer.update { _ in }
        cloud.socket.say("2")
      }
      let job = try await cloud.event("job")
      #expect(job["state"]?.string == due)
      #expect(job["printSeconds"] == (status.isEmpty ? 0 : 61))
      await polar.bench.executor.idle()
      #expect(polar.bench.gateway.submitted.count { $0.wireName == "history" } == 1)
    }
  }

  @Test(
    "An end that lies in memory only is noted as reported when it has been delivered, not before")
  func onlyInMemory() async throws {
    var identity = PolarBench.registered
    identity["job"] = ["id": "ac07", "path": "x_cloud_ac07.gcode", "phase": "running"]
    let polar = bench(identity)
    polar.bench.outbox.store(false)
    polar.bench.printer.update {
      $0.objects["print_stats"] = BackendTests.stats("complete", 60, file: "x_cloud_ac07.gcode")
    }
    try await polar.run {
      let cloud = try await polar.cloud()
      _ = try await cloud.event("hello")
      await polar.bench.executor.idle()
      #expect(polar.bench.outbox.entries.count == 1)
      #expect(polar.bench.identity.identity?["job"]?["id"] == "ac07")
      cloud.say("helloResponse", #"{"serialNumber":"KL000001","status":"SUCCESS"}"#)
      _ = try await cloud.event("job")
      await until { polar.bench.identity.identity?["job"] == nil }
      #expect(polar.bench.identity.identity?["reported_jobs"] == ["ac07"])
    }
  }

  // MARK: Nothing goes round in circles

  @Test("What cannot be stored is not stored in turn: a full disk is one line, not a loop")
  func fullDisk() {
    let time = ManualTime()
    var session = online(time)
    let reading = session.reading
    func stores(_ event: PolarSession.Event) -> Int {
      session.handle(event, reading: reading, now: time.now).count {
        if case .store = $0 { true } else { false }
      }
    }
    let job = PolarRecord.Change.reported("x")
    #expect(stores(.notStored(job, "open .tmp-1: no space left")) == 1)
    #expect(stores(.notStored(job, "open .tmp-2: no space left")) == 0)
    #expect(stores(.notStored(.error("a"), "open .tmp-3: no space left")) == 0)
    #expect(stores(.notStored(.error("b"), "open .tmp-4: no space left")) == 0)
  }

  @Test("While the printer is off, the session sleeps", arguments: ["started", "running"])
  func printerOff(phase: String) throws {
    let time = ManualTime()
    var session = online(time)
    var record = PolarRecord()
    record.job = CloudJob(
      id: "ac08", path: "x_cloud_ac08.gcode", phase: try #require(CloudJob.Phase(rawValue: phase)))
    session.tracker = JobTracker(record.job, now: time.now)
    let later = time.now.advanced(by: .seconds(120))
    _ = session.handle(.tick, reading: session.reading, now: later)
    let due = try #require(session.nextDue(later))
    #expect(due >= later.advanced(by: .seconds(1)))
    #expect(session.tracker.nextDue(isKnown: false) == nil)
  }

  @Test(
    "A flood of commands is dropped beyond what is under way; whoever wants to stop gets through")
  func flood() async throws {
    let polar = bench()
    polar.bench.printer.come(printState: "printing")
    let gate = Gate()
    polar.bench.gateway.answer { request in
      if case .temperature = request.command { await gate.wait() }
      return .done()
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      for _ in 0..<200 { cloud.say("temperature", #"{"tool0":200,"bed":60}"#) }
      cloud.say("pause")
      cloud.say("cancel")
      await until { polar.bench.gateway.submitted.contains { $0.command == .cancel } }
      await polar.bench.executor.idle()
      let heats = polar.bench.gateway.submitted.count { $0.wireName == "temperature" }
      #expect(heats == 32)
      #expect(polar.bench.gateway.submitted.contains { $0.command == .pause })
      gate.open()
      await until {
        polar.bench.gateway.submitted.count { $0.wireName == "temperature" } == 64
      }
    }
  }
}
