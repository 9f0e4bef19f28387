import ConnectorKit
import JSON
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Gate: Moonraker's own methods") struct GateMoonrakerTests {
  @Test("A look goes out whatever the printer does, also with read-only on, and each time anew")
  func look() async throws {
    let bench = GateBench.ready("printing")
    #expect(bench.submit(.query(.of("server.info", .get))) == .done())
    #expect(bench.submit(.query(.of("server.info", .get))) == .done())
    #expect(bench.printer.sent.count == 2)
    #expect(bench.owed["a"]?.count == 1)
    bench.klippy(.shutdown)
    #expect(bench.submit(.query(.of("printer.info", .get)), id: "2") == .done())
    bench.leave()
    #expect(bench.submit(.query(.of("server.info", .get)), id: "3")?.reason == .notConnected)
  }

  @Test("A command under the id of a look is refused, and does not get the look's answer")
  func idOfLook() {
    let bench = GateBench.ready("printing")
    #expect(bench.submit(.query(.of("server.info", .get))) == .done())
    #expect(bench.submit(.pause)?.reason == .invalid)
    #expect(bench.printer.sent.count == 1)
  }

  @Test(
    "What ends a job is refused while one is on",
    arguments: [
      MoonrakerRequest.of("machine.update.full", .post), .of("server.restart", .post),
      .of("machine.services.stop", .post, ["service": "klipper"]),
      .of("printer.bed_mesh.dump", .get), .of("machine.device_power.toggle", .post),
      .of("server.files.move", .post, ["source": "gcodes/a.gcode", "dest": "gcodes/b.gcode"]),
    ])
  func disturbing(request: MoonrakerRequest) {
    for state in ["printing", "paused"] {
      let bench = GateBench.ready(state)
      #expect(bench.submit(.raw(request))?.reason == .wrongState)
      #expect(bench.printer.sent.isEmpty)
    }
    let idle = GateBench.ready()
    #expect(idle.submit(.raw(request)) == .done())
  }

  @Test("To delete a folder takes the permission to delete, whatever wrapper it comes in")
  func folder() {
    let bench = GateBench.ready()
    let request = MoonrakerRequest.of(
      "server.files.directory", .delete, ["path": "gcodes/old", "force": "true"])
    bench.entrance().policy = CommandPolicy(permissions: [.raw, .filesDeleteOwn])
    #expect(bench.submit(.raw(request))?.reason == .notPermitted)
    bench.entrance().policy = CommandPolicy(permissions: [.raw, .filesDeleteAny])
    #expect(bench.submit(.raw(request), id: "2") == .done())
  }

  @Test("A lamp may be switched while printing")
  func calm() {
    let bench = GateBench.ready("printing")
    let lamp = PrinterCommand.raw(.of("machine.wled.on", .post, ["strip": "a"]))
    #expect(bench.submit(lamp) == .done())
    #expect(bench.printer.sent == [lamp])
  }

  @Test("Power that is switched the other way round needs a cold printer")
  func power() {
    let bench = GateBench.ready()
    bench.update(["extruder": ["temperature": 190.0, "target": 0.0]])
    let toggle = PrinterCommand.raw(.of("machine.device_power.toggle", .post))
    #expect(bench.submit(toggle)?.message == "extruder is hot")
  }

  @Test(
    "Nothing is switched off in a roundabout way while Klippy is down and the printer hot",
    arguments: [
      MoonrakerRequest.of(
        "machine.device_power.device", .post, ["device": "psu", "action": "OFF"]),
      .of("machine.device_power.device", .post, ["device": "psu", "action": "toggle"]),
      .of("machine.device_power.off", .post, ["psu": nil, "lamp": nil]),
    ])
  func powerOff(request: MoonrakerRequest) throws {
    let bench = GateBench.ready()
    bench.update(["extruder": ["temperature": 190.0, "target": 0.0]])
    bench.klippy(.shutdown)
    #expect(bench.submit(try PrinterCommand(request))?.reason == .wrongState)
    #expect(bench.printer.sent.isEmpty)
    let on = MoonrakerRequest.of("machine.device_power.on", .post, ["psu": nil, "lamp": nil])
    #expect(bench.submit(try PrinterCommand(on), id: "2") == .done())
  }

  @Test("A file operation is not sent through a symbolic link")
  func link() {
    let bench = GateBench.ready()
    bench.printer.link(.of("elsewhere"))
    let move = MoonrakerRequest.of(
      "server.files.move", .post, ["source": "gcodes/a.gcode", "dest": "gcodes/elsewhere"])
    #expect(bench.submit(.raw(move))?.reason == .invalid)
    #expect(bench.printer.sent.isEmpty)
  }

  @Test("The queue starts onto a clear bed only, and from an idle printer")
  func queue() {
    let bench = GateBench.ready()
    #expect(bench.submit(.startQueue, id: "1")?.reason == .bedOccupied)
    bench.print("printing", "own.gcode")
    #expect(bench.submit(.startQueue, id: "2")?.reason == .wrongState)
    #expect(bench.submit(.queue(.add([.of("a.gcode")], isReset: false)), id: "3") == .done())
    #expect(bench.submit(.queue(.pause), id: "4") == .done())
  }

  @Test("What a connector refuses itself is in the audit, and nowhere else")
  func noted() {
    let bench = GateBench.ready()
    bench.entrance().noteRefusal(
      id: "7", wireName: "server..info", CommandFailure(.notPermitted, "no name"))
    let record = bench.audit.records.withLock { $0.last }
    #expect(record?.commandID == "7" && record?.backend == "a")
    #expect(record?.outcome == CommandOutcome(.refused, .notPermitted, "no name"))
    #expect(bench.gate.view.recent.last?.action == "server..info")
    #expect(bench.rows.isEmpty && bench.owed.isEmpty)
  }

  // MARK: Early answers

  private let early = EarlyAnswer(
    after: .seconds(2), owed: OwedItem(key: "1", kind: "result", body: ["status": "accepted"]))

  @Test("A command that ends soon owes its end alone")
  func quick() {
    let bench = GateBench.ready()
    _ = bench.post(.gcode("M105"), id: "1", early: early)
    bench.drain()
    bench.advance(by: .seconds(3))
    #expect(bench.owed["a"]?.map(\.body) == [["status": "done"]])
  }

  @Test("A command that takes its time owes its early answer, and its end nothing")
  func slow() {
    let bench = GateBench.ready()
    bench.printer.answersAtOnce(false)
    let outcome = bench.post(.gcode("G28"), id: "1", early: early)
    bench.drain()
    bench.advance(by: .seconds(1.9))
    #expect(bench.owed["a"] == nil)
    bench.advance(by: .seconds(0.2))
    #expect(bench.owed["a"]?.map(\.body) == [["status": "accepted"]])
    #expect(outcome.current == nil)
    bench.printer.answer(.failure(CommandFailure(.printerRefused, "Must home first", code: 400)))
    bench.drain()
    #expect(outcome.current?.reason == .printerRefused)
    #expect(bench.row("1")?.outcome?.reason == .printerRefused)
    #expect(bench.owed["a"]?.map(\.body) == [["status": "accepted"]])
  }

  @Test("While it waits for its turn it owes nothing yet")
  func waits() {
    let bench = GateBench.ready()
    bench.printer.answersAtOnce(false)
    _ = bench.post(.gcode("G28"), id: "0")
    bench.drain()
    _ = bench.post(.gcode("G28"), id: "1", early: early)
    bench.drain()
    bench.advance(by: .seconds(30))
    #expect(bench.owed["a"] == nil)
    bench.printer.answer()
    bench.drain()
    bench.advance(by: .seconds(2))
    #expect(bench.owed["a"]?.map(\.key) == ["0", "1"])
  }

  @Test("A kill behind the early answer owes nothing more")
  func killed() {
    let disk = FakeDisk()
    let bench = GateBench.ready(disk: disk)
    bench.printer.answersAtOnce(false)
    _ = bench.post(.gcode("G28"), id: "1", early: early)
    bench.drain()
    bench.advance(by: .seconds(2))
    bench.die()
    disk.contents.withLock { $0.recover() }
    #expect(disk.contents.withLock { $0.outbox["a"] }?.map(\.body) == [["status": "accepted"]])
    #expect(bench.row("1")?.outcome == .interrupted)
  }
}
