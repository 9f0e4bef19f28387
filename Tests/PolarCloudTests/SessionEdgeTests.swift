import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PolarCloud

@Suite("Polar: what may happen between two moments") struct SessionEdgeTests {
  private static let end: JSONObject = [
    "serialNumber": "KL000001", "jobId": "aa10", "state": "completed", "printSeconds": 60,
  ]

  private func owed(_ polar: PolarBench, _ id: String = "aa10") async {
    var body = Self.end
    body["jobId"] = .string(id)
    await polar.bench.outbox.put(OwedItem(key: JobEnd.key(id), kind: JobEnd.kind, body: body))
  }

  @Test("A report that the cloud has read is out of the outbox before another word comes")
  func reportTaken() async throws {
    let polar = PolarBench()
    polar.bench.printer.come()
    await owed(polar)
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      #expect(try await cloud.event("job")["jobId"] == "aa10")
      await until { polar.bench.outbox.entries.isEmpty }
    }
    // Ended right behind it, and begun again.
    try await polar.run {
      let cloud = try await polar.greetedCloud(2)
      await polar.bench.executor.idle()
      #expect(cloud.bodies("job").isEmpty)
    }
  }

  @Test("One round reports all that is owed, each once")
  func onceReportsAll() async throws {
    let polar = PolarBench()
    polar.bench.printer.come()
    await owed(polar, "aa11")
    await owed(polar, "aa12")
    let backend = try await polar.backend()
    let task = Task(executorPreference: polar.bench.executor) { try await backend.runOnce() }
    let cloud = try await polar.greetedCloud()
    try await task.value
    #expect(cloud.bodies("job").map { $0["jobId"]?.string } == ["aa11", "aa12"])
    #expect(polar.bench.outbox.entries.isEmpty)
    #expect(cloud.socket.isClosed)
  }

  @Test("The page's settings change while a report is under way: it is not sent a second time")
  func reconfigured() async throws {
    let pages = KeptPages()
    let polar = PolarBench()
    polar.bench.printer.come()
    await owed(polar)
    var context = polar.bench.context()
    context.pages = pages
    let backend = try await PolarCloudBackend(settings: .written(polar.settings), context: context)
    try await polar.bench.run(backend) {
      let cloud = try await polar.greetedCloud()
      _ = try await cloud.event("job")
      await until { polar.bench.outbox.entries.isEmpty }
      let answer = await pages.post("/printer/polar_cloud/config", #"{"verbose":true}"#)
      #expect(answer == 200)
      let second = try await polar.greetedCloud(2)
      await polar.bench.executor.idle()
      #expect(second.bodies("job").isEmpty)
    }
  }

  @Test("Given back while the connection is being made: it is closed as soon as it stands")
  func unregisteredWhileConnecting() async throws {
    let pages = KeptPages()
    let polar = PolarBench()
    polar.bench.printer.come()
    var context = polar.bench.context()
    context.pages = pages
    let backend = try await PolarCloudBackend(settings: .written(polar.settings), context: context)
    let task = Task(executorPreference: polar.bench.executor) { try await backend.run() }
    let socket = try await polar.bench.webSockets.socket(1)
    #expect(await pages.post("/printer/polar_cloud/unregister", "{}") == 200)
    await polar.bench.executor.idle()
    try await socket.letIn()
    let failure = try #require(
      await #expect(throws: BackendFailure.self) { try await task.value })
    #expect(failure.problem == "this printer was unregistered here")
    #expect(socket.isClosed)
    #expect(!socket.sent.contains { $0.contains("hello") })
  }

  @Test(
    "A PIN from the page is forgotten with the refusal, and the refusal is remembered all the same")
  func refusedFromThePage() async throws {
    let pages = KeptPages()
    let bench = TestBench(identity: PolarBench.unregistered) { _, _ in HTTPResponse(status: 204) }
    bench.printer.come()
    var context = bench.context()
    context.pages = pages
    let backend = try await PolarCloudBackend(settings: .written([:]), context: context)
    let code = await pages.post(
      "/printer/polar_cloud/register", #"{"username":"maker@example.test","pin":"9876"}"#)
    #expect(code == 200)
    let task = Task(executorPreference: bench.executor) { try await backend.run() }
    let socket = try await bench.webSockets.socket(1)
    try await socket.letIn()
    socket.sayEvent("welcome", #"{"challenge":"c0ffee"}"#)
    await until { socket.sent.contains { $0.contains("register") } }
    socket.sayEvent("registerResponse", #"{"status":"FAILED","reason":"EMAIL_PIN_ERROR"}"#)
    _ = await #expect(throws: BackendFailure.self) { try await task.value }
    let kept = String(
      decoding: JSONValue.object(bench.identity.identity ?? [:]).serialized(), as: UTF8.self)
    #expect(!kept.contains("9876"))
    let again = try #require(
      await #expect(throws: BackendFailure.self) { try await backend.run() })
    #expect(again.problem.contains("EMAIL_PIN_ERROR"))
    #expect(bench.webSockets.sockets.count == 1)
  }

  @Test("A key that takes its time is waited for: the second registration brings the new one")
  func slowKey() async throws {
    let polar = PolarBench(identity: PolarBench.unregistered)
    try await polar.run {
      let first = try await polar.cloud()
      let old = try await first.event("register")["publicKey"]
      first.say("registerResponse", #"{"status":"FAILED","reason":"INVALID_KEY"}"#)
      await until { first.socket.isClosed }
      // The pause is over long before the key is there.
      await polar.bench.executor.idle()
      polar.bench.time.advance(by: .seconds(1))
      let second = try await polar.cloud(2)
      let new = try await second.event("register")["publicKey"]
      #expect(new != nil && new != old)
      #expect(polar.bench.identity.identity?["private_key"] != .string(PolarBench.key))
    }
  }

  @Test(
    "A cancel whose id is no text is for another job",
    arguments: [#"{"jobId":5}"#, #"{"jobId":{}}"#, #"{"jobId":"other"}"#])
  func oddCancel(order: String) async throws {
    let polar = PolarBench()
    polar.bench.printer.come(printState: "printing")
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("cancel", order)
      cloud.say("pause", "{}")
      await until { !polar.bench.gateway.submitted.isEmpty }
      #expect(polar.bench.gateway.submitted.map(\.wireName) == ["pause"])
    }
  }

  @Test("Numbers of the printer beyond all sense are told as something")
  func absurdNumbers() async throws {
    let polar = PolarBench()
    polar.bench.printer.come()
    polar.bench.printer.update {
      $0.objects["print_stats"] = [
        "state": "printing", "filename": "x", "total_duration": 1e300, "print_duration": 1e300,
        "filament_used": 1e300,
      ]
      $0.objects["virtual_sdcard"] = ["file_position": 1e300, "file_size": -1e300]
      $0.objects["extruder"] = ["temperature": 1e300, "target": -1e300]
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      #expect(cloud.bodies("status").first?["status"] == 1)
    }
  }

  @Test("Work that was cut short does not bring a job back whose end is reported")
  func lateWord() {
    var record = PolarRecord()
    let now = WallTime(millisecondsSinceEpoch: 0)
    let job = CloudJob(id: "aa13", path: "x_cloud_aa13.gcode", phase: .preparing)
    record.apply(.job(job), at: now)
    record.apply(.reported("aa13"), at: now)
    record.apply(.job(job), at: now)
    #expect(record.job == nil)
    // Nor does a record that holds both.
    record.job = job
    record.job?.phase = .started
    let session = PolarSession(
      record,
      rules: PolarSession.Rules(
        host: "h", credentials: "", username: nil, canRegister: false,
        statusInterval: .seconds(60), allowsGcode: false, isOnce: false, random: { 0.5 },
        wallTime: { now }),
      images: ImageDesk(isOn: false, printingInterval: .seconds(10), idleInterval: .seconds(60)),
      reading: PolarReading(
        PrinterStatus(startedAt: MonotonicInstant(sinceOrigin: .zero), wallTime: now)),
      now: MonotonicInstant(sinceOrigin: .zero))
    #expect(session.tracker.job == nil)
  }

  @Test("Events wait for the session in a bounded number")
  func inflow() async {
    let inflow = Inflow()
    let entered = Counter()
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for _ in 0..<200 where !Task.isCancelled {
          entered.increment()
          await inflow.enter()
        }
      }
      await until { entered.value == 64 }
      for _ in 0..<10 { await Task.yield() }
      #expect(entered.value == 64)
      inflow.leave()
      await until { entered.value == 65 }
      // Cancelled, nobody waits.
      group.cancelAll()
    }
  }

  // MARK: What is rarely asked for

  @Test(
    "G-code is run only where it is allowed, and the cloud hears what became of it",
    arguments: [true, false])
  func gcode(isAllowed: Bool) async throws {
    let polar = PolarBench(settings: ["allow_gcode": .boolean(isAllowed)])
    polar.bench.printer.come()
    polar.bench.gateway.answer { request in
      request.command == .gcode("M117 bad")
        ? CommandOutcome(.refused, .notPermitted, "not on the list") : .done()
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("command", #"{"command":"M117 a\r\nG28\n\n"}"#)
      cloud.say("command", #"{"command":"M117 bad"}"#)
      cloud.say("pause")
      await until { polar.bench.gateway.submitted.contains { $0.wireName == "pause" } }
      guard isAllowed else {
        #expect(polar.bench.gateway.submitted.count == 1)
        #expect(cloud.bodies("commandResponse").isEmpty)
        return
      }
      _ = try await cloud.event("commandResponse", 2)
      #expect(
        Set(cloud.bodies("commandResponse").compactMap { $0["response"]?.string })
          == ["ok", "error: not on the list"])
      #expect(polar.bench.gateway.submitted.contains { $0.command == .gcode("M117 a\nG28") })
    }
  }

  @Test("The probe stops at the challenge: it neither registers nor greets, and changes nothing")
  func probe() async throws {
    let polar = PolarBench()
    let context = polar.bench.context()
    let settings = Settings.written(polar.settings)
    let task = Task(executorPreference: polar.bench.executor) {
      try await PolarCloudBackend.probe(settings: settings, context: context)
    }
    let cloud = try await polar.cloud()
    let report = try #require(try await task.value)
    #expect(report.isHealthy && report.summary.contains("KL000001"))
    #expect(cloud.events.isEmpty)
    #expect(cloud.socket.isClosed)
    #expect(polar.bench.identity.saves == 0)
  }

  @Test("The probe of a printer that nobody has registered says so, and one that hears nothing too")
  func probeUnregistered() async throws {
    let polar = PolarBench(identity: PolarBench.unregistered)
    let context = polar.bench.context()
    let settings = Settings.written(polar.settings)
    let first = Task(executorPreference: polar.bench.executor) {
      try await PolarCloudBackend.probe(settings: settings, context: context)
    }
    _ = try await polar.cloud()
    let report = try #require(try await first.value)
    #expect(!report.isHealthy && report.summary.contains("not registered"))
    let second = Task(executorPreference: polar.bench.executor) {
      try await PolarCloudBackend.probe(settings: settings, context: context)
    }
    try await polar.bench.webSockets.socket(2).letIn()
    for _ in 0..<3 {
      await polar.bench.executor.idle()
      polar.bench.time.advance(by: .seconds(10))
    }
    let silent = try #require(try await second.value)
    #expect(!silent.isHealthy && silent.summary.contains("no challenge within 30 s"))
  }

  @Test(
    "Files of former jobs beyond the newest go, the oldest first, by ownership alone; what somebody else has printed stays"
  )
  func cleanUp() async throws {
    let polar = PolarBench(settings: ["keep_files": .integer(1)])
    polar.bench.printer.come()
    polar.bench.transfers.offer(Array("G28\n".utf8), at: "https://files.test/cube.gcode")
    let brought = polar.bench.time.wallTime
    polar.bench.gateway.owns(
      try ["a_cloud_1.gcode", "b_cloud_2.gcode", "c_cloud_3.gcode"].map { name in
        BroughtFile(
          path: try #require(GCodePath(name)), size: 1, sha256: name, broughtAt: brought,
          modified: 0)
      })
    let later = Double(brought.millisecondsSinceEpoch) / 1_000 + 3_600
    polar.bench.gateway.answer { request in
      guard case .query(let question) = request.command else { return .done() }
      // Printed by the owner while nobody here could see it.
      return .done(
        question.text("filename") == "a_cloud_1.gcode" ? ["print_start_time": .double(later)] : [:])
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("print", #"{"jobId":"aa14","gcodeFile":"https://files.test/cube.gcode"}"#)
      await until {
        polar.bench.gateway.submitted.contains { $0.command.deletedPath != nil }
      }
      await polar.bench.executor.idle()
      let deletions = polar.bench.gateway.submitted.filter { $0.command.deletedPath != nil }
      #expect(deletions.map(\.command.deletedPath) == ["b_cloud_2.gcode"])
      #expect(deletions.allSatisfy { $0.deletesOwnOnly })
    }
  }
}

extension PrinterCommand {
  /// What it deletes.
  fileprivate var deletedPath: String? {
    guard case .deleteFile(let path) = self else { return nil }
    return path.text
  }
}

/// Pages that are kept, so that a test can post to them.
final class KeptPages: PageService {
  private let handler = Guarded<PageService.Handler?>(nil)

  func serve(_ paths: [String], _ handler: @escaping Handler) {
    self.handler.withLock { $0 = handler }
  }

  func wake() {}

  /// The status of the answer.
  func post(_ path: String, _ body: String) async -> Int {
    let handler = handler.withLock { $0 }
    let request = PageRequest(
      method: "POST", path: path, body: Array(body.utf8), mayChange: true, visitor: "the test")
    return await handler?(request).status ?? 0
  }
}
