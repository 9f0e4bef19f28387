import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PolarCloud

@Suite("Polar: nothing is printed, ended or deleted against somebody's will") struct WillTests {
  private static let url = "https://files.test/cube.gcode"
  private static func order(_ id: String) -> String {
    #"{"jobId":"\#(id)","jobName":"Cube","gcodeFile":"\#(url)"}"#
  }

  private func bench(_ settings: [String: SettingValue] = [:]) -> PolarBench {
    let polar = PolarBench(settings: settings)
    polar.bench.printer.come()
    polar.bench.transfers.offer(Array("G28\n".utf8), at: Self.url)
    return polar
  }

  @Test("A session that ends while a file is fetched takes the start back")
  func endedWhileFetching() async throws {
    let polar = bench()
    let gate = LastingGateway(polar.bench)
    let transfers = SlowTransfers(polar.bench)
    let pages = KeptPages()
    try await polar.run(with: {
      $0.commands = gate
      $0.transfers = transfers
      $0.pages = pages
    }) {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("print", Self.order("ab01"))
      await until { transfers.count == 1 }
      #expect(await pages.post("/printer/polar_cloud/config", #"{"verbose":true}"#) == 200)
      let second = try await polar.greetedCloud(2)
      #expect(try await second.event("job")["state"] == "canceled")
      transfers.gate.open()
      await until { gate.ended["print ab01"] != nil }
      #expect(gate.ended["print ab01"]?.status == .failed)
      #expect(polar.bench.gateway.uploads.isEmpty)
    }
  }

  @Test("The end of the program takes the start back, too")
  func cancelledWhileFetching() async throws {
    let polar = bench()
    let gate = LastingGateway(polar.bench)
    let transfers = SlowTransfers(polar.bench)
    let backend = try await polar.backend {
      $0.commands = gate
      $0.transfers = transfers
    }
    let task = Task(executorPreference: polar.bench.executor) { try await backend.run() }
    let cloud = try await polar.greetedCloud()
    await polar.settle()
    cloud.say("print", Self.order("ab02"))
    await until { transfers.count == 1 }
    task.cancel()
    _ = await #expect(throws: CancellationError.self) { try await task.value }
    transfers.gate.open()
    await until { gate.ended["print ab02"] != nil }
    #expect(gate.ended["print ab02"]?.status == .failed)
    #expect(polar.bench.gateway.uploads.isEmpty)
  }

  @Test("A cancel right behind its print, while the disk still writes: nothing is begun")
  func cancelledAtOnce() async throws {
    let polar = bench()
    let disk = SlowIdentity(polar.bench)
    try await polar.run(with: { $0.identity = disk }) {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      let gate = Gate()
      disk.hold(gate)
      cloud.say("print", Self.order("ab03"))
      cloud.say("cancel", #"{"jobId":"ab03"}"#)
      await polar.bench.executor.idle()
      gate.open()
      #expect(try await cloud.event("job")["state"] == "canceled")
      await polar.bench.executor.idle()
      #expect(polar.bench.gateway.uploads.isEmpty)
      #expect(!polar.bench.gateway.submitted.contains { $0.command == .cancel })
      #expect(cloud.bodies("job").count == 1)
    }
  }

  @Test(
    "A cancel of a job that is only fetched, or does not show, leaves the owner's own print alone",
    arguments: [true, false])
  func ownersPrint(isFetching: Bool) async throws {
    let polar = bench()
    let transfers = SlowTransfers(polar.bench)
    if !isFetching { transfers.gate.open() }
    try await polar.run(with: { $0.transfers = transfers }) {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("print", Self.order("ab04"))
      await until { transfers.count == 1 }
      if !isFetching {
        await until { polar.bench.identity.identity?["job"]?["phase"] == "started" }
        await polar.bench.executor.idle()
      }
      polar.bench.printer.update {
        $0.objects["print_stats"] = BackendTests.stats("printing", 5, file: "own.gcode")
      }
      await polar.bench.executor.idle()
      cloud.say("cancel", #"{"jobId":"ab04"}"#)
      await polar.bench.executor.idle()
      transfers.gate.open()
      #expect(try await cloud.event("job")["state"] == "canceled")
      await polar.bench.executor.idle()
      #expect(!polar.bench.gateway.submitted.contains { $0.command == .cancel })
      #expect(polar.bench.gateway.uploads.isEmpty == isFetching)
    }
  }

  @Test("A cancel that comes too late for the start ends the print as soon as it shows")
  func lateCancel() async throws {
    let polar = bench()
    polar.bench.gateway.answer { request in
      request.command == .cancel
        ? CommandOutcome(.refused, .wrongState, "no job is running") : .done()
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("print", Self.order("ab05"))
      await until { polar.bench.identity.identity?["job"]?["phase"] == "started" }
      await polar.bench.executor.idle()
      // Klipper is still behind a long G-code.
      cloud.say("cancel", #"{"jobId":"ab05"}"#)
      await until { polar.bench.gateway.submitted.count { $0.command == .cancel } == 1 }
      await polar.bench.executor.idle()
      polar.bench.printer.update {
        $0.objects["print_stats"] = BackendTests.stats("printing", 0, file: "Cube_cloud_ab05.gcode")
      }
      await until { polar.bench.gateway.submitted.count { $0.command == .cancel } == 2 }
    }
  }

  @Test("Pause and resume that name another job than the printer's are not obeyed")
  func otherJobs() async throws {
    let polar = PolarBench()
    polar.bench.printer.come(printState: "paused")
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("resume", #"{"jobId":"ab06"}"#)
      cloud.say("pause", #"{"jobId":"ab06"}"#)
      cloud.say("pause", "{}")
      await until { !polar.bench.gateway.submitted.isEmpty }
      await polar.bench.executor.idle()
      #expect(polar.bench.gateway.submitted.map(\.command) == [.pause])
    }
  }

  @Test("A cancel of which nobody knows what became may be said once more")
  func cancelAgain() async throws {
    let polar = PolarBench()
    polar.bench.printer.come(printState: "printing")
    polar.bench.gateway.answer { _ in CommandOutcome(.unknown, .timeout, "no answer") }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      for count in 1...2 {
        cloud.say("cancel")
        await until { polar.bench.gateway.submitted.count { $0.command == .cancel } == count }
        await polar.bench.executor.idle()
      }
    }
  }

  @Test("A cancel that was done, but that the printer does not heed, may be said again after 30 s")
  func cancelUnheeded() async throws {
    var identity = PolarBench.registered
    identity["job"] = ["id": "ab07", "path": "x_cloud_ab07.gcode", "phase": "running"]
    let polar = PolarBench(identity: identity)
    polar.bench.printer.come()
    polar.bench.printer.update {
      $0.objects["print_stats"] = BackendTests.stats("printing", 60, file: "x_cloud_ab07.gcode")
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("cancel", #"{"jobId":"ab07"}"#)
      await until { polar.bench.gateway.submitted.count { $0.command == .cancel } == 1 }
      await polar.bench.executor.idle()
      cloud.say("cancel", #"{"jobId":"ab07"}"#)
      for _ in 0..<6 {
        await polar.bench.executor.idle()
        polar.bench.time.advance(by: .seconds(5))
        polar.bench.printer.update { _ in }
      }
      await polar.bench.executor.idle()
      #expect(polar.bench.gateway.submitted.count { $0.command == .cancel } == 1)
      cloud.say("cancel", #"{"jobId":"ab07"}"#)
      await until { polar.bench.gateway.submitted.count { $0.command == .cancel } == 2 }
    }
  }

  @Test("Given back by a person, it does not register again by itself; a person may")
  func givenBack() async throws {
    let polar = bench()
    let pages = KeptPages()
    let backend = try await polar.backend { $0.pages = pages }
    let task = Task(executorPreference: polar.bench.executor) { try await backend.run() }
    let cloud = try await polar.greetedCloud()
    #expect(await pages.post("/printer/polar_cloud/unregister", "{}") == 200)
    _ = try await cloud.event("unregister")
    cloud.say("unregisterResponse", #"{"status":"SUCCESS"}"#)
    _ = await #expect(throws: BackendFailure.self) { try await task.value }
    // E-mail and PIN stand in the file.
    let again = try await polar.failure {}
    #expect(again.problem == "this printer was unregistered here")
    #expect(await pages.post("/printer/polar_cloud/config", #"{"verbose":true}"#) == 200)
    _ = await #expect(throws: BackendFailure.self) { try await backend.run() }
    #expect(polar.bench.webSockets.sockets.count == 1)
    #expect(await pages.post("/printer/polar_cloud/register", "{}") == 200)
    try await polar.bench.run(backend) {
      _ = try await polar.cloud(2).event("register")
    }
  }

  @Test(
    "A connection that ends right behind the number: the number counts, none is asked for again")
  func numberWhileKept() async throws {
    let polar = PolarBench(identity: PolarBench.unregistered)
    let disk = SlowIdentity(polar.bench)
    try await polar.run(with: { $0.identity = disk }) {
      let first = try await polar.cloud()
      _ = try await first.event("register")
      let gate = Gate()
      disk.hold(gate)
      first.say("registerResponse", #"{"status":"SUCCESS","serialNumber":"KL000001"}"#)
      first.socket.closeInOrder()
      await polar.bench.executor.idle()
      gate.open()
      await polar.bench.executor.idle()
      polar.bench.time.advance(by: .seconds(10))
      let second = try await polar.cloud(2)
      #expect(try await second.event("hello")["serialNumber"] == "KL000001")
      #expect(polar.bench.identity.identity?["serial_number"] == "KL000001")
    }
  }

  @Test("Another manufacturer is another try")
  func manufacturer() throws {
    func credentials(_ manufacturer: String) throws -> String {
      try PolarConfiguration(
        .written(["manufacturer": .string(manufacturer)]), entered: EnteredValues()
      ).credentials
    }
    #expect(try credentials("el") != credentials("kl"))
  }

  @Test("A PIN that is entered while registered is not kept")
  func uselessPIN() async throws {
    let polar = PolarBench()
    let pages = KeptPages()
    var context = polar.bench.context()
    context.pages = pages
    _ = try await PolarCloudBackend(settings: .written([:]), context: context)
    #expect(
      await pages.post("/printer/polar_cloud/config", #"{"pin":"9876","verbose":true}"#) == 200)
    #expect(polar.bench.identity.identity?["entered"]?["pin"] == nil)
    #expect(polar.bench.identity.identity?["entered"]?["verbose"] == true)
  }

  @Test("A registration that ends takes its job along: no other one is told of it")
  func jobOfAFormerRegistration() {
    var record = PolarRecord()
    let now = WallTime(millisecondsSinceEpoch: 0)
    for change in [
      PolarRecord.Change.unregistered(credentials: "c"),
      .blocked(PolarRecord.Block(problem: "p", remedy: "r", credentials: "c"), forgets: true),
    ] {
      record.apply(.job(CloudJob(id: "ab08", path: "x_cloud_ab08.gcode", phase: .running)), at: now)
      record.apply(change, at: now)
      #expect(record.job == nil && record.reported == ["ab08"])
      record.reported = []
    }
  }

  @Test(
    "Without a camera nothing is asked for, and the greeting says so; one of the original's place counts",
    arguments: [true, false])
  func camera(isThere: Bool) async throws {
    let polar = bench()
    if isThere {
      polar.bench.webcams.answer { [time = polar.bench.time] wish throws(WebcamFailure) in
        guard wish.fallbackPaths.contains("/webcam/?action=snapshot") else {
          throw WebcamFailure(.noCamera, "no camera is set up")
        }
        return WebcamFrame(bytes: [1], contentType: "image/jpeg", capturedAt: time.now)
      }
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      #expect(try await cloud.event("hello")["camOff"] == (isThere ? 0 : 1))
      await polar.settle()
      #expect(cloud.bodies("getUrl").isEmpty != isThere)
    }
  }
}
