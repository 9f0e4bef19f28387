import ConnectorKit
import Cryptography
import Foundation
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PHPHub

@Suite("PHP hub: the whole connector") struct PHPHubBackendTests {
  /// A connector with its hub, on paper.
  private struct Rig {
    let hub = PaperHub()
    let bench: TestBench
    let settings: Settings

    init(_ more: [String: SettingValue] = [:]) {
      bench = TestBench(hub.script)
      settings = PHPHubTests.settings(
        ["camera.enabled": .boolean(false)].merging(more) { $1 })
      bench.printer.come()
      bench.gateway.answer { request in
        switch request.command {
        case .listFiles: .done([["path": "cube.gcode", "size": 1_536, "modified": 10]])
        case .history: .done(["jobs": []])
        default: .done()
        }
      }
    }

    func backend() async throws -> PHPHubBackend {
      try await PHPHubBackend(settings: settings, context: bench.context())
    }

    /// The hub has a homing, `h`, that lasts until the gate that is returned is opened.
    func queueSlowHoming() -> Gate {
      let isHomed = Gate()
      bench.gateway.answer { request in
        if case .home = request.command { await isHomed.wait() }
        return .done()
      }
      hub.queue("{\"id\":\"h\",\"action\":\"home\",\"timestamp\":1795162973}")
      return isHomed
    }

    /// Lets time pass until `condition` holds, two minutes at most.
    func live(
      _ seconds: Int = 120, sourceLocation: SourceLocation = #_sourceLocation,
      until condition: () -> Bool
    ) async {
      let end = bench.time.now.advanced(by: .seconds(seconds))
      while bench.time.now < end {
        await bench.executor.idle()
        try? await Task.sleep(for: .milliseconds(1))
        await bench.executor.idle()
        if condition() { return }
        if let next = bench.time.deadlines.first { bench.time.advance(to: min(next, end)) }
      }
      Issue.record("what was waited for never came", sourceLocation: sourceLocation)
    }

    func live(for seconds: Int) async {
      let end = bench.time.now.advanced(by: .seconds(seconds))
      await live(seconds + 3_600) { bench.time.now >= end }
    }

    /// What was submitted to be done to the printer.
    var commands: [PrinterCommand] {
      bench.gateway.submitted.map(\.command).filter { $0 != .listFiles && $0.kind != .history }
    }
  }

  @Test("It tells the printer's state and its files, and says that it is online")
  func updates() async throws {
    let rig = Rig()
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.updates.contains { $0["files"]?.array?.isEmpty == false } }
      #expect(rig.bench.health.last == .online)
      #expect(rig.hub.updates.last?["name"] == "Voron" && rig.hub.updates.last?["status"] == "idle")
      #expect(
        rig.hub.updates.last?["files"] == [
          ["name": "cube.gcode", "size": "1.5 KB", "modified": 10.0]
        ])
      #expect(!rig.bench.confirmations.isEmpty)
      // No secret in any line.
      #expect(!rig.bench.log.lines.joined().contains("TOK_DUMMY_1"))
    }
  }

  @Test("A command is executed once and its result told three times, however often it comes again")
  func redelivery() async throws {
    let rig = Rig()
    rig.hub.state.withLock { $0.repeatsForEver = true }
    rig.hub.queue(
      "{\"id\":\"cmd_1\",\"action\":\"set_speed\",\"speed\":\"120\",\"timestamp\":1795162973}",
      "{\"id\":\"cmd_2\",\"action\":\"toggle_fan\",\"timestamp\":1795162973}",
      "{\"id\":\"cmd_3\",\"action\":\"unknown\",\"timestamp\":1795162973}")
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.results.count == 3 }
      #expect(rig.hub.results["cmd_1"]?["status"] == "completed")
      #expect(rig.hub.results["cmd_2"]?["status"] == "completed")
      #expect(rig.hub.results["cmd_3"]?["status"] == "rejected")
      #expect(rig.hub.results["cmd_3"]?["message"] == "unknown action")
      await rig.live(for: 60)
      let told = rig.hub.updates.filter { update in
        (update["command_results"]?.array ?? []).contains { $0["id"] == "cmd_1" }
      }
      #expect(told.count == 3)
    }
    // The paper gate knows a command by its id, as the real one.
    #expect(Set(rig.commands) == [.speed(percent: 120), .fan(1)])
    #expect(rig.bench.gateway.refusals["cmd_3"] != nil)
  }

  @Test("An emergency stop that comes again for ever stops the printer once, also after a restart")
  func stopOnce() async throws {
    let rig = Rig()
    rig.hub.state.withLock { $0.repeatsForEver = true }
    rig.hub.queue("{\"id\":\"cmd_s\",\"action\":\"emergency_stop\",\"timestamp\":1795162973}")
    for _ in 0..<2 {
      try await rig.bench.run(try await rig.backend()) {
        await rig.live { rig.hub.results["cmd_s"] != nil }
        await rig.live(for: 30)
        rig.hub.queue("{\"id\":\"cmd_f\",\"action\":\"fan_off\",\"timestamp\":1795163000}")
        await rig.live(for: 10)
      }
    }
    #expect(rig.commands.filter { $0 == .emergencyStop }.count == 1)
    #expect(rig.hub.results["cmd_f"]?["status"] == "completed")
  }

  @Test(
    "An emergency stop under an id that was used before is one: the hub's database was made anew")
  func stopUnderAnOldID() async throws {
    let rig = Rig([
      "server_url": .string("http://hub.test/printerhub/printer-api/update.php")
    ])
    rig.hub.state.withLock { $0.repeatsForEver = true }
    try await rig.bench.run(try await rig.backend()) {
      rig.hub.queue("{\"id\":1,\"type\":\"basic\",\"command\":\"FAN_OFF\"}")
      await rig.live { rig.hub.results["1"]?["status"] == "completed" }
      rig.hub.state.withLock { $0.commands = [] }
      rig.hub.queue("{\"id\":1,\"type\":\"basic\",\"command\":\"EMERGENCY_STOP\"}")
      await rig.live(for: 30)
    }
    #expect(rig.commands == [.fan(0), .emergencyStop])
  }

  @Test("Of a flood two hundred commands are looked at, and every emergency stop")
  func flood() async throws {
    let rig = Rig()
    let pauses = (0..<5_000).map { number -> JSONValue in
      ["id": .string("c\(number)"), "action": "pause", "timestamp": 1_795_162_973]
    }
    rig.hub.state.withLock { $0.commands = pauses }
    rig.hub.queue("{\"id\":\"s\",\"action\":\"emergency_stop\",\"timestamp\":1795162973}")
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.commands.contains(.emergencyStop) }
      await rig.live(for: 10)
    }
    #expect(rig.commands.filter { $0 == .emergencyStop }.count == 1)
    #expect(rig.bench.gateway.submitted.count + rig.bench.gateway.refusals.count < 300)
  }

  @Test("Heating both is one command to the hub and two to the gate")
  func heat() async throws {
    let rig = Rig()
    rig.hub.queue("{\"id\":\"c\",\"action\":\"heat\",\"timestamp\":1795162973}")
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.results["c"] != nil }
    }
    #expect(
      rig.commands == [
        .temperature(heater: "extruder", celsius: 200),
        .temperature(heater: "heater_bed", celsius: 60),
      ])
    #expect(rig.bench.outbox.entries.isEmpty && rig.bench.outbox.verdicts.count == 1)
  }

  @Test("A heating of which only the nozzle's half was done is told as that, never as refused")
  func halfHeat() async throws {
    let rig = Rig()
    rig.bench.gateway.answer { request in
      guard case .temperature(heater: "heater_bed", _) = request.command else { return .done() }
      return CommandOutcome(.refused, .invalid, "heater_bed takes 120 °C at the most")
    }
    rig.hub.queue(
      "{\"id\":\"c\",\"action\":\"heat\",\"bed_temp\":130,\"hotend_temp\":200,\"timestamp\":1795162973}",
      "{\"id\":\"d\",\"action\":\"heat\",\"bed_temp\":130,\"timestamp\":1795162973}")
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.results.count == 2 }
    }
    #expect(rig.hub.results["c"]?["status"] == "failed")
    #expect(
      rig.hub.results["c"]?["message"]
        == "only half done, the nozzle is set and the bed is not: heater_bed takes 120 °C at the most"
    )
    #expect(rig.hub.results["d"]?["status"] == "rejected")
    #expect(rig.hub.results["d"]?["message"] == "heater_bed takes 120 °C at the most")
  }

  @Test("A macro that Klipper does not have is not run: to Klipper it would be no error")
  func macros() async throws {
    let rig = Rig()
    rig.bench.gateway.answer { request in
      if case .query = request.command { return .done(["objects": ["gcode_macro Park", "fan"]]) }
      return .done()
    }
    rig.hub.queue(
      "{\"id\":\"a\",\"action\":\"macro\",\"macro_name\":\"PARK\",\"timestamp\":1795162973}",
      "{\"id\":\"b\",\"action\":\"macro\",\"macro_name\":\"FAN\",\"timestamp\":1795162973}")
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.results.count == 2 }
      #expect(rig.hub.results["a"]?["status"] == "completed")
      #expect(rig.hub.results["b"]?["status"] == "failed")
      #expect(rig.hub.results["b"]?["message"] == "Klipper has no macro FAN")
    }
  }

  @Test("While a homing takes its time, updates go on and a stop overtakes")
  func overtaking() async throws {
    let rig = Rig()
    let isHomed = rig.queueSlowHoming()
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.commands.contains(.home([])) }
      let before = rig.hub.updates.count
      rig.hub.queue("{\"id\":\"s\",\"action\":\"emergency_stop\",\"timestamp\":1795162973}")
      await rig.live(10) { rig.commands.contains(.emergencyStop) }
      await rig.live(for: 20)
      #expect(rig.hub.updates.count >= before + 4)
      isHomed.open()
      await rig.live { rig.hub.results["h"] != nil }
    }
  }

  @Test("What waits behind a homing is on the disk: the hub has forgotten it")
  func waitingIsKept() async throws {
    let rig = Rig()
    let isHomed = rig.queueSlowHoming()
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.commands.contains(.home([])) }
      let before = rig.hub.updates.count
      rig.hub.queue("{\"id\":\"f\",\"action\":\"fan_off\",\"timestamp\":1795162973}")
      await rig.live { rig.hub.updates.count > before + 3 }
      let kept = try? await rig.bench.stateFiles.read(HubMemory.fileName)
      #expect(String(decoding: kept ?? [], as: UTF8.self).contains("fan_off"))
      isHomed.open()
      await rig.live { rig.hub.results["f"] != nil }
    }
  }

  @Test("A cancel while it is found out which file is meant leaves nothing to start")
  func withdrawn() async throws {
    let rig = Rig()
    let (isSlow, isListed) = (Guarded(false), Gate())
    rig.bench.gateway.answer { request in
      guard case .listFiles = request.command else { return .done() }
      if isSlow.withLock({ $0 }) { await isListed.wait() }
      return .done([["path": "cube.gcode", "size": 1_536, "modified": 10]])
    }
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.updates.count > 1 }
      isSlow.withLock { $0 = true }
      let before = rig.bench.gateway.submitted.count
      rig.hub.queue(
        "{\"id\":\"p\",\"action\":\"print\",\"file\":\"cube.gcode\",\"timestamp\":1795162973}")
      await rig.live { rig.bench.gateway.submitted.count > before }
      rig.hub.queue("{\"id\":\"c\",\"action\":\"cancel\",\"timestamp\":1795162973}")
      await rig.live { rig.commands.contains(.cancel) }
      isListed.open()
      await rig.live { rig.hub.results["p"] != nil }
    }
    #expect(rig.hub.results["p"]?["status"] == "rejected")
    #expect(!rig.commands.contains { $0.kind == .start })
  }

  @Test("Requests to the hub are never two at once")
  func oneAtATime() async throws {
    let rig = Rig(["preserve_hub_edits": .boolean(true)])
    rig.hub.state.withLock { $0.page = ["bed_status": "calibrar"] }
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.updates.last?["bed_status"] == "calibrar" }
      #expect(rig.hub.updates.allSatisfy { $0["tags"] == [] && $0["bed_status"] == "calibrar" })
    }
    #expect(rig.hub.state.withLock { $0.mostUnderWay } == 1)
  }

  private static let gcode = Array("G28\nG1 X10\n".utf8)
  private static let md5 = "eadac662d40b383175ba528a580b2b11"

  @Test("A file of the second hub is fetched, checked, put under its own name, printed and marked")
  func printFile() async throws {
    let rig = Rig(["server_url": .string("http://hub.test/printer-api/update.php")])
    let name = "1795163159_0e222e1e.gcode"
    rig.bench.transfers.offer(
      Self.gcode,
      at:
        "http://hub.test/printer-api/files.php?action=download_file&file=\(name)&printer_token=TOK_DUMMY_1"
    )
    rig.hub.state.withLock {
      $0.files = [["name": .string(name), "original_name": "t.gcode", "md5": .string(Self.md5)]]
    }
    rig.hub.queue(
      "{\"id\":20,\"type\":\"basic\",\"command\":\"PRINT_FILE:\(name)\",\"priority\":1}")
    try await rig.bench.run(try await rig.backend()) {
      await rig.live {
        rig.hub.results["20"] != nil && !rig.hub.state.withLock { $0.marked.isEmpty }
      }
      #expect(rig.hub.results["20"]?["status"] == "completed")
    }
    #expect(rig.bench.gateway.uploads.map(\.path) == ["printerhub/t.gcode"])
    #expect(rig.bench.gateway.uploads.first?.bytes == Self.gcode)
    #expect(rig.commands.contains(.start(try #require(GCodePath("printerhub/t.gcode")), .person)))
    #expect(rig.hub.state.withLock { $0.marked } == [name])
  }

  @Test(
    "An error page, half a file or another file is never printed",
    arguments: [
      ("{\"success\":false,\"message\":\"no\"}", md5), ("<br />\n<b>Fatal</b>", md5),
      ("G28\nG1 X11\n", md5),
    ])
  func wrongFile(text: String, md5: String) async throws {
    let rig = Rig()
    rig.bench.transfers.offer(
      Array(text.utf8),
      at:
        "http://hub.test/printerhub/api_files.php?action=download_file&file=t.gcode&printer_token=TOK_DUMMY_1"
    )
    rig.hub.queue(
      "{\"id\":\"c\",\"action\":\"print\",\"file\":\"t.gcode\",\"md5\":\"\(md5)\",\"timestamp\":1795162973}"
    )
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.results["c"]?["status"] == "failed" }
    }
    #expect(rig.bench.gateway.uploads.isEmpty)
  }

  @Test(
    "A hostile download_url is refused before anything is fetched",
    arguments: [
      "http://127.0.0.1:7125/server/files/config/printer.cfg", "file:///etc/passwd",
      "http://hub.test:8080/x.gcode", "//evil.test/x.gcode", "http://hub.test@evil.test/x.gcode",
      "http://evil.test/x.gcode", "http://hub.test/\\u0000x",
    ])
  func hostileURL(url: String) async throws {
    let rig = Rig()
    rig.hub.queue(
      "{\"id\":\"c\",\"action\":\"print\",\"file\":\"t.gcode\",\"download_url\":\"\(url)\",\"timestamp\":1795162973}"
    )
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.results["c"]?["status"] == "rejected" }
    }
    #expect(rig.commands.isEmpty)
    #expect(rig.bench.gateway.refused.count == 1)
  }

  @Test("print_local and a bare name print what is on the printer, and only that")
  func local() async throws {
    let rig = Rig()
    rig.hub.queue(
      "{\"id\":\"a\",\"action\":\"print_local\",\"file\":\"cube.gcode\",\"timestamp\":1795162973}",
      "{\"id\":\"b\",\"action\":\"print_local\",\"file\":\"../cube.gcode\",\"timestamp\":1795162973}",
      "{\"id\":\"c\",\"action\":\"print\",\"file\":\"cube.gcode\",\"timestamp\":1795162973}")
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.results.count == 3 }
      #expect(rig.hub.results["a"]?["status"] == "completed")
      #expect(rig.hub.results["b"]?["status"] == "rejected")
      #expect(rig.hub.results["c"]?["status"] == "completed")
    }
    #expect(rig.bench.gateway.uploads.isEmpty)
  }

  @Test("The host's end is told before it comes")
  func farewell() async throws {
    let rig = Rig()
    let told = Guarded<JSONValue?>(nil)
    rig.hub.queue("{\"id\":\"r\",\"action\":\"reboot\",\"timestamp\":1795162973}")
    rig.bench.gateway.answer { _ in .done() }
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.results["r"] != nil }
      told.withLock { $0 = rig.hub.results["r"] }
    }
    #expect(told.withLock { $0 }?["status"] == "completed")
    #expect(rig.commands == [.reboot])
  }

  @Test(
    "What waits for its turn is on the disk first, and has its turn in the next life, unless it is stale"
  )
  func restart() async throws {
    let rig = Rig(["security.rate_limit_seconds": .duration(.seconds(30))])
    rig.hub.queue(
      "{\"id\":\"a\",\"action\":\"fan_off\",\"timestamp\":1795162973}",
      "{\"id\":\"b\",\"action\":\"set_flow\",\"flow\":90,\"timestamp\":1795162973}",
      "{\"id\":\"c\",\"action\":\"set_flow\",\"flow\":91,\"timestamp\":1795162973}")
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.commands.contains(.fan(0)) }
    }
    #expect(rig.commands == [.fan(0)])
    let stored = try #require(try await rig.bench.stateFiles.read(HubMemory.fileName))
    #expect(String(decoding: stored, as: UTF8.self).contains("\"b\""))
    try await rig.bench.run(try await rig.backend()) {
      await rig.live(10) { rig.commands.contains(.flow(percent: 90)) }
    }
    // An hour later the last one has lost its sense.
    rig.bench.time.advance(by: .seconds(3_600))
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.results["c"] != nil }
      #expect(rig.hub.results["c"]?["status"] == "rejected")
      #expect(rig.hub.results["c"]?["message"]?.string?.hasPrefix("stale: it waited") == true)
    }
    #expect(!rig.commands.contains(.flow(percent: 91)))
  }

  @Test(
    "printer_state.json has the original's keys, both sorts of counts, and goes on after a restart")
  func statistics() async throws {
    let rig = Rig()
    rig.hub.queue("{\"id\":\"a\",\"action\":\"fan_off\",\"timestamp\":1795162973}")
    try await rig.bench.run(try await rig.backend()) { await rig.live(for: 130) }
    func document() async throws -> JSONValue {
      try JSONValue(parsing: try #require(try await rig.bench.stateFiles.read(Statistics.fileName)))
    }
    let first = try await document()
    #expect(
      first.object?.keys == [
        "last_update", "total_updates", "failed_updates", "uptime_start", "last_commands",
        "statistics",
      ])
    #expect(
      Set(first["statistics"]?.object?.keys ?? []) == [
        "updates_sent", "commands_received", "commands_executed", "files_downloaded", "errors",
        "reconnections",
      ])
    #expect(first["statistics"]?["commands_executed"] == 1)
    #expect((first["total_updates"]?.integer ?? 0) > 20)
    try await rig.bench.run(try await rig.backend()) { await rig.live(for: 70) }
    let second = try await document()
    #expect(second["uptime_start"] == first["uptime_start"])
    #expect((second["total_updates"]?.integer ?? 0) > (first["total_updates"]?.integer ?? 0))
  }

  @Test("Broken files of ours are set aside, and the connector goes on")
  func brokenFiles() async throws {
    let rig = Rig()
    try await rig.bench.stateFiles.replace(Statistics.fileName, with: Array("{".utf8))
    try await rig.bench.stateFiles.replace(HubMemory.fileName, with: [0, 1, 2])
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.updates.count > 2 }
    }
    #expect(try await rig.bench.stateFiles.read("\(Statistics.fileName).bad") == Array("{".utf8))
    #expect(try await rig.bench.stateFiles.read("\(HubMemory.fileName).bad") == [0, 1, 2])
  }

  @Test("Old files of its own are deleted after an hour, through the gate, and no others")
  func cleanUp() async throws {
    let rig = Rig()
    let day: Int64 = 86_400_000
    let now = rig.bench.time.wallTime.millisecondsSinceEpoch
    func file(_ path: String, days: Int64) throws -> BroughtFile {
      BroughtFile(
        path: try #require(GCodePath(path)), size: 1, sha256: "x",
        broughtAt: WallTime(millisecondsSinceEpoch: now - days * day), modified: 1)
    }
    rig.bench.gateway.owns([
      try file("printerhub/old.gcode", days: 31), try file("printerhub/new.gcode", days: 29),
    ])
    try await rig.bench.run(try await rig.backend()) {
      await rig.live(for: 3_500)
      #expect(!rig.commands.contains { $0.kind == .deleteFile })
      await rig.live(for: 200)
    }
    #expect(
      rig.commands.filter { $0.kind == .deleteFile } == [
        .deleteFile(try #require(GCodePath("printerhub/old.gcode")))
      ])
  }

  @Test("A file that somebody has printed while nobody here saw it is not deleted")
  func printedMeanwhile() async throws {
    let rig = Rig()
    let now = rig.bench.time.wallTime.millisecondsSinceEpoch
    let path = try #require(GCodePath("printerhub/old.gcode"))
    rig.bench.gateway.owns([
      BroughtFile(
        path: path, size: 1, sha256: "x",
        broughtAt: WallTime(millisecondsSinceEpoch: now - 40 * 86_400_000), modified: 1)
    ])
    rig.bench.gateway.answer { request in
      guard case .query = request.command else { return .done() }
      return .done(["print_start_time": .double(Double(now) / 1_000 - 39 * 86_400)])
    }
    try await rig.bench.run(try await rig.backend()) { await rig.live(for: 7_300) }
    #expect(rig.commands.contains { $0.kind == .query })
    #expect(!rig.commands.contains { $0.kind == .deleteFile })
  }

  @Test("A picture goes to the first hub by its form, and into one update")
  func pictures() async throws {
    let rig = Rig(["camera.enabled": .boolean(true), "camera.timelapse_enabled": .boolean(false)])
    rig.bench.webcams.answer { [time = rig.bench.time] _ in
      WebcamFrame(bytes: [0xFF, 0xD8, 1], contentType: "image/jpeg", capturedAt: time.now)
    }
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.updates.contains { $0["image"] != nil } }
      await rig.live(for: 60)
    }
    let told = rig.hub.updates.filter { $0["image"] != nil }
    #expect(told.count == 1 && told.first?["image"] == "printer_images/TOK.jpg?t=1")
    #expect(rig.bench.webcams.wishes.allSatisfy { $0.maximumBytes == 1_500_000 && $0.mustBeJPEG })
  }

  @Test("A picture goes to the second hub in every update")
  func inlinePictures() async throws {
    let rig = Rig([
      "server_url": .string("http://hub.test/printer-api/update.php"),
      "camera.enabled": .boolean(true), "camera.timelapse_enabled": .boolean(false),
    ])
    rig.bench.webcams.answer { [time = rig.bench.time] _ in
      WebcamFrame(bytes: [0xFF, 0xD8, 1], contentType: "image/jpeg", capturedAt: time.now)
    }
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.updates.last?["image"] != nil }
      let count = rig.hub.updates.count
      await rig.live { rig.hub.updates.count >= count + 5 }
    }
    #expect(rig.hub.updates.last?["image"] == "data:image/jpeg;base64,/9gB")
    #expect(rig.bench.webcams.wishes.allSatisfy { $0.maximumBytes == 200_000 })
  }

  @Test("Of several cameras the first whose picture the hub can take counts: a PNG is none")
  func cameras() async throws {
    let rig = Rig([
      "camera.enabled": .boolean(true), "camera.timelapse_enabled": .boolean(false),
      "camera.urls": .list(["http://c.test/1", "http://c.test/2"]),
    ])
    rig.bench.webcams.answer { [time = rig.bench.time] (wish) throws(WebcamFailure) in
      guard wish.addresses == ["http://c.test/2"] else {
        throw WebcamFailure(.notAnImage, "camera sends png, not JPEG")
      }
      return WebcamFrame(bytes: [0xFF, 0xD8, 1], contentType: "image/jpeg", capturedAt: time.now)
    }
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.updates.contains { $0["image"] != nil } }
    }
    #expect(
      rig.bench.webcams.wishes.prefix(2).map(\.addresses) == [
        ["http://c.test/1"], ["http://c.test/2"],
      ])
    #expect(rig.hub.state.withLock { $0.pictures } >= 1)
  }

  @Test("Scripts that are elsewhere are asked there, and files go to the owner's folder")
  func ownAddresses() async throws {
    let rig = Rig([
      "update_url": .string("http://u.test/a/api.php"),
      "commands_url": .string("http://c.test/b/api.php"),
      "files_url": .string("http://f.test/c/api_files.php"),
      "image_url": .string("http://i.test/d/upload_image.php"),
      "camera.enabled": .boolean(true), "camera.timelapse_enabled": .boolean(false),
      "gcode_subdirectory": .string("lab"),
    ])
    rig.bench.webcams.answer { [time = rig.bench.time] _ in
      WebcamFrame(bytes: [0xFF, 0xD8, 1], contentType: "image/jpeg", capturedAt: time.now)
    }
    rig.bench.transfers.offer(
      Self.gcode,
      at:
        "http://f.test/c/api_files.php?action=download_file&file=t.gcode&printer_token=TOK_DUMMY_1"
    )
    rig.hub.queue(
      "{\"id\":\"c\",\"action\":\"print\",\"file\":\"t.gcode\",\"md5\":\"\(Self.md5)\",\"timestamp\":1795162973}"
    )
    try await rig.bench.run(try await rig.backend()) {
      await rig.live {
        rig.hub.results["c"] != nil && rig.hub.state.withLock { $0.pictures } > 0
      }
    }
    #expect(rig.hub.results["c"]?["status"] == "completed")
    #expect(rig.bench.gateway.uploads.map(\.path) == ["lab/t.gcode"])
    let asked = Set(
      rig.bench.transport.requests.map { request in
        "\(request.method) \(request.url.prefix { $0 != "?" })"
      })
    #expect(
      asked == [
        "POST http://u.test/a/api.php", "GET http://c.test/b/api.php",
        "POST http://i.test/d/upload_image.php",
      ])
  }

  @Test("The second hub is told where pictures can be seen, where that is written")
  func publicPicture() async throws {
    let rig = Rig([
      "server_url": .string("http://hub.test/printer-api/update.php"),
      "camera.enabled": .boolean(true), "camera.timelapse_enabled": .boolean(false),
      "image_public_url": .string("https://pictures.test/lab.jpg"),
    ])
    try await rig.bench.run(try await rig.backend()) {
      await rig.live { rig.hub.updates.last?["image"] != nil }
    }
    #expect(rig.hub.updates.last?["image"] == "https://pictures.test/lab.jpg")
  }

  @Test("Timelapse frames lie in a folder for each print, and nothing of the owner's goes")
  func timelapse() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("uplink-timelapse-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Files.makeFolder(folder)
    try Files.replace("\(folder)/frame_000001.jpg", with: [1])
    let bench = TestBench { (_, _) async throws(NetworkError) in HTTPResponse(status: 404) }
    let memory = HubMemory(files: bench.stateFiles, log: bench.context().log)
    let timelapse = Timelapse(folder: folder, context: bench.context(), memory: memory)
    let frame = WebcamFrame(
      bytes: [0xFF, 0xD8], contentType: "image/jpeg", capturedAt: bench.time.now)
    for _ in 0..<103 { await timelapse.keep(frame, of: "parts/cube.gcode") }
    let job = try #require(memory.contents.timelapses.first)
    #expect(job.hasPrefix("\(folder)/20") && job.hasSuffix("-cube_gcode"))
    let names = try Files.names(in: job)
    #expect(names.count == 100 && names.first == "frame_000004.jpg")
    timelapse.end()
    bench.time.advance(by: .seconds(60))
    await timelapse.keep(frame, of: "parts/cube.gcode")
    #expect(memory.contents.timelapses.count == 2)
    // Where there are more prints than are remembered, the oldest go with their pictures.
    let old = (0..<Timelapse.mostPrints).map { "\(folder)/old-\($0)" }
    for path in old {
      try Files.makeFolder(path)
      try Data([1]).write(to: URL(fileURLWithPath: "\(path)/frame_000001.jpg"))
    }
    memory.change { $0.timelapses = old }
    timelapse.end()
    bench.time.advance(by: .seconds(60))
    await timelapse.keep(frame, of: "parts/cube.gcode")
    #expect(memory.contents.timelapses.count == Timelapse.mostPrints)
    #expect(try Files.information(old[0]) == nil && Files.information(old[1]) != nil)
    #expect(try Files.information("\(folder)/frame_000001.jpg") != nil)
  }

  @Test("A single round: an update, the commands, their results")
  func once() async throws {
    let rig = Rig()
    rig.hub.queue("{\"id\":\"a\",\"action\":\"fan_off\",\"timestamp\":1795162973}")
    try await (try await rig.backend()).runOnce()
    #expect(rig.hub.updates.count == 2)
    #expect(rig.hub.results["a"]?["status"] == "completed")
  }

  @Test("A probe asks for nothing that the hub would forget by it")
  func probe() async throws {
    let rig = Rig()
    let report = try await PHPHubBackend.probe(settings: rig.settings, context: rig.bench.context())
    #expect(report?.isHealthy == true)
    #expect(
      rig.bench.transport.requests.allSatisfy { $0.method == "GET" && !$0.url.contains("token") })
    let dead = TestBench { (_, _) async throws(NetworkError) in HTTPResponse(status: 404) }
    let bad = try await PHPHubBackend.probe(settings: rig.settings, context: dead.context())
    #expect(bad?.isHealthy == false)
  }
}
