import ConnectorKit
import Cryptography
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PolarCloud

@Suite("Polar: the whole connector on paper") struct BackendTests {
  @Test("A new printer registers, comes back on another connection, and greets there")
  func registers() async throws {
    let polar = PolarBench(identity: PolarBench.unregistered)
    try await polar.run {
      let first = try await polar.cloud()
      let register = try await first.event("register")
      #expect(register["email"] == "maker@example.test" && register["pin"] == "1234")
      #expect(register["mfg"] == "kl" && register["mfgSn"] == "KL-02FC00000001")
      #expect(register["myInfo"]?["MAC"] == "02:FC:00:00:00:01")
      #expect(register["publicKey"]?.string?.hasPrefix("-----BEGIN PUBLIC KEY-----\n") == true)
      first.say(
        "registerResponse",
        #"{"status":"SUCCESS","reason":"SUCCESS","serialNumber":"KL000001"}"#)
      await until { first.socket.isClosed }
      #expect(first.events.map(\.name) == ["register"])
      #expect(first.socket.sent.suffix(2) == ["41", "1"])
      #expect(polar.bench.identity.identity?["serial_number"] == "KL000001")
      await polar.bench.executor.idle()
      polar.bench.time.advance(by: .seconds(1))
      let second = try await polar.cloud(2)
      let hello = try await second.event("hello")
      #expect(
        hello.keys == [
          "serialNumber", "protocol", "MAC", "localIP", "signature", "mfgSn", "printerMake",
          "version", "camOff", "rotateImg", "transformImg",
        ])
      #expect(hello["signature"]?.string?.count == 344)
      #expect(second.bodies("register").isEmpty)
    }
    let kept = JSONValue.object(polar.bench.identity.identity ?? [:]).serialized()
    #expect(!String(decoding: kept, as: UTF8.self).contains("1234\""))
  }

  @Test("After the greeting it says at once how the printer stands, and which version it is")
  func greets() async throws {
    let polar = PolarBench()
    polar.bench.printer.come()
    try await polar.run {
      let cloud = try await polar.cloud()
      _ = try await cloud.event("hello")
      #expect(cloud.events.count == 1, "nothing else before the cloud has accepted")
      cloud.say("helloResponse", #"{"serialNumber":"KL000001","status":"SUCCESS"}"#)
      let status = try await cloud.event("status")
      #expect(status["status"] == 0 && status["progress"] == "Idle")
      #expect(status["tool0"] == 22.1 && status["estimatedTime"] == "0")
      let version = try await cloud.event("setVersion")
      #expect(version["runningVersion"]?.string == Product.version)
      await until { polar.bench.health == [.online] }
    }
  }

  @Test("A job is fetched, stored, printed, and reported once")
  func prints() async throws {
    let polar = PolarBench()
    polar.bench.printer.come()
    polar.bench.transfers.offer(Array("G28\n".utf8), at: "https://files.test/cube.gcode")
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say(
        "print",
        #"{"serialNumber":"KL000001","jobId":"aa01","jobName":"Cube","gcodeFile":"https://files.test/cube.gcode"}"#
      )
      let preparing = try await cloud.status(2)
      #expect(preparing["progressDetail"] == "Downloading file for job: aa01")
      #expect(preparing["jobId"] == "aa01")
      await until { polar.bench.gateway.uploads.count == 1 }
      #expect(polar.bench.gateway.uploads.first?.path == "Cube_cloud_aa01.gcode")
      let start = try #require(polar.bench.gateway.submitted.first)
      #expect(start.command == .start(try #require(GCodePath("Cube_cloud_aa01.gcode")), .person))
      await until { polar.bench.identity.identity?["job"]?["phase"] == "started" }
      polar.bench.printer.update { $0.objects["print_stats"] = Self.stats("printing", 5) }
      await polar.bench.executor.idle()
      polar.bench.time.advance(by: .seconds(1))
      #expect(try await cloud.status(3)["jobId"] == "aa01")
      polar.bench.printer.update { $0.objects["print_stats"] = Self.stats("complete", 90) }
      let job = try await cloud.event("job")
      #expect(job["jobId"] == "aa01" && job["state"] == "completed" && job["printSeconds"] == 90)
      #expect(cloud.bodies("status").contains { $0["status"] == 5 && $0["jobId"] == "aa01" })
      await polar.bench.executor.idle()
      polar.bench.time.advance(by: .seconds(1))
      let complete = try await cloud.status(7)
      #expect(complete["jobId"] == nil)
      for _ in 0..<6 {
        await polar.bench.executor.idle()
        polar.bench.time.advance(by: .seconds(20))
        cloud.socket.say("2")
      }
      _ = try await cloud.status(0)
      // Not again, whatever comes.
      cloud.say("print", #"{"jobId":"aa01","gcodeFile":"https://files.test/cube.gcode"}"#)
      polar.bench.printer.tell(.job(.finished, job: 1, filename: "Cube_cloud_aa01.gcode"))
      await polar.bench.executor.idle()
      #expect(cloud.bodies("job").count == 1)
      #expect(polar.bench.gateway.submitted.count { $0.wireName == "print" } == 1)
    }
  }

  static func stats(
    _ state: String, _ duration: Int64, file: String = "Cube_cloud_aa01.gcode"
  ) -> JSONObject {
    [
      "state": .string(state), "filename": .string(file), "print_duration": .integer(duration),
      "total_duration": .integer(duration), "filament_used": 12.5, "message": "",
    ]
  }

  @Test("A job whose file cannot be had is reported as cancelled, and the printer is idle again")
  func noFile() async throws {
    let polar = PolarBench()
    polar.bench.printer.come()
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("print", #"{"jobId":"aa02","gcodeFile":"https://files.test/none.gcode"}"#)
      let job = try await cloud.event("job")
      #expect(job["jobId"] == "aa02" && job["state"] == "canceled")
      await polar.bench.executor.idle()
      polar.bench.time.advance(by: .seconds(1))
      _ = try await cloud.status(0)
      #expect(polar.bench.gateway.uploads.isEmpty)
    }
  }

  @Test(
    "A job that cannot be printed is refused in the cloud's own form",
    arguments: [
      #"{"jobId":"aa03","stlFile":"https://files.test/a.stl"}"#,
      #"{"jobId":"aa03","gcodeFile":"file:///etc/passwd"}"#,
      #"{"jobId":"aa03","gcodeFile":"https://u:p@files.test/a"}"#,
      #"{"jobId":"aa03","gcodeFile":17}"#,
      #"{"jobId":"aa03","gcodeFile":"https://files.test/a","fileToPrint":"stlFile"}"#,
    ])
  func refused(order: String) async throws {
    let polar = PolarBench()
    polar.bench.printer.come()
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("print", order)
      let job = try await cloud.event("job")
      #expect(job["jobId"] == "aa03" && job["state"] == "canceled")
      await until { polar.bench.gateway.refused.count == 1 }
      #expect(polar.bench.gateway.submitted.isEmpty)
    }
  }

  @Test("While the printer prints, a job is refused; the print goes on")
  func busy() async throws {
    let polar = PolarBench()
    polar.bench.printer.come(printState: "printing")
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      await polar.settle()
      cloud.say("print", #"{"jobId":"aa04","gcodeFile":"https://files.test/a"}"#)
      #expect(try await cloud.event("job")["state"] == "canceled")
      #expect(polar.bench.gateway.submitted.isEmpty)
    }
  }

  @Test("A deleted printer is not registered again by itself, and what it prints goes on")
  func deleted() async throws {
    let polar = PolarBench()
    polar.bench.printer.come(printState: "printing")
    let failure = try await polar.failure {
      let cloud = try await polar.greetedCloud()
      cloud.say("delete", #"{"serialNumber":"KL000001"}"#)
      await until { cloud.socket.isClosed }
    }
    #expect(failure.action == .park)
    #expect(failure.problem == "this printer was deleted in the Polar Cloud")
    #expect(polar.bench.gateway.submitted.isEmpty)
    #expect(polar.bench.identity.identity?["serial_number"] == nil)
    // A new start does not even connect.
    let again = try await polar.failure {}
    #expect(again.problem == failure.problem)
    #expect(polar.bench.webSockets.sockets.count == 1)
  }

  @Test("A wrong PIN is tried once")
  func wrongPIN() async throws {
    let polar = PolarBench(identity: PolarBench.unregistered)
    let failure = try await polar.failure {
      let cloud = try await polar.cloud()
      _ = try await cloud.event("register")
      cloud.say("registerResponse", #"{"status":"FAILED","reason":"EMAIL_PIN_ERROR"}"#)
    }
    #expect(failure.action == .park && failure.problem.contains("EMAIL_PIN_ERROR"))
    let again = try await polar.failure {}
    #expect(again.action == .park)
    #expect(polar.bench.webSockets.sockets.count == 1)
  }

  @Test("A refused greeting is tried again after a minute, and says nothing meanwhile")
  func refusedGreeting() async throws {
    let polar = PolarBench()
    polar.bench.printer.come()
    try await polar.run {
      let cloud = try await polar.cloud()
      _ = try await cloud.event("hello")
      cloud.say("helloResponse", #"{"status":"FAILED","message":"no"}"#)
      await until { cloud.socket.isClosed }
      #expect(cloud.events.map(\.name) == ["hello"])
      await polar.bench.executor.idle()
      polar.bench.time.advance(by: .seconds(59))
      await polar.bench.executor.idle()
      #expect(polar.bench.webSockets.sockets.count == 1)
      polar.bench.time.advance(by: .seconds(5))
      #expect(polar.bench.identity.identity?["last_error"] != nil)
      _ = try await polar.greetedCloud(2)
      await until { polar.bench.health.last == .online }
      // The original keeps it.
      await until { polar.bench.identity.identity?["last_error"] == nil }
    }
  }

  @Test("What an earlier run has printed is reported after a restart")
  func restarted() async throws {
    var identity = PolarBench.registered
    identity["job"] = ["id": "aa05", "path": "x_cloud_aa05.gcode", "phase": "running"]
    let polar = PolarBench(identity: identity)
    polar.bench.printer.come()
    polar.bench.printer.update {
      $0.objects["print_stats"] = Self.stats("complete", 60, file: "x_cloud_aa05.gcode")
    }
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      let job = try await cloud.event("job")
      #expect(job["jobId"] == "aa05" && job["state"] == "completed")
      await until { polar.bench.identity.identity?["job"] == nil }
    }
  }

  @Test("A job whose file was being fetched when the program ended counts as cancelled")
  func interrupted() async throws {
    var identity = PolarBench.registered
    identity["job"] = ["id": "aa06", "path": "x_cloud_aa06.gcode", "phase": "preparing"]
    let polar = PolarBench(identity: identity)
    polar.bench.printer.come()
    try await polar.run {
      let cloud = try await polar.greetedCloud()
      #expect(try await cloud.event("job")["state"] == "canceled")
    }
  }
}
