import ConnectorKit
import JSON
import Platform
import Testing

@testable import PHPHub

@Suite("PHP hub: commands read") struct HubOrderTests {
  private static let now = WallTime(millisecondsSinceEpoch: 1_795_162_973_000)

  private static func order(
    _ text: String, _ generation: Generation = .v1, _ more: [String: SettingValue] = [:]
  ) throws -> HubOrder {
    let command = try HubCommand(.of(text), generation, clock: now, receivedAt: now)
    return try HubOrder(command, OrderRules(settings(more)))
  }

  private static func heat(_ hotend: Double?, _ bed: Double?) -> HubOrder {
    .printer(
      [("extruder", hotend), ("heater_bed", bed)].compactMap { heater, celsius in
        celsius.map { .temperature(heater: heater, celsius: $0) }
      })
  }

  @Test(
    "Every action of the first hub",
    arguments: [
      ("\"home\"", .printer([.home([])])), ("\"home_x\"", .printer([.home([.x])])),
      ("\"home_y\"", .printer([.home([.y])])), ("\"home_z\"", .printer([.home([.z])])),
      ("\"heat\"", heat(200, 60)), ("\"heat\",\"hotend_temp\":210", heat(210, nil)),
      ("\"heat\",\"bed_temp\":\"55\"", heat(nil, 55)),
      ("\"heat\",\"hotend_temp\":0,\"bed_temp\":0", heat(0, 0)),
      ("\"heat\",\"hotend_temp\":null", heat(200, 60)), ("\"cool_down\"", heat(0, 0)),
      ("\"pause\"", .printer([.pause])), ("\"resume\"", .printer([.resume])),
      ("\"cancel\"", .printer([.cancel])), ("\"emergency_stop\"", .printer([.emergencyStop])),
      ("\"set_speed\",\"speed\":\"120\"", .printer([.speed(percent: 120)])),
      ("\"set_speed\",\"speed\":10", .printer([.speed(percent: 10)])),
      ("\"set_flow\",\"flow\":125", .printer([.flow(percent: 125)])),
      ("\"set_fan\",\"speed\":255", .printer([.fan(1)])),
      ("\"set_fan\",\"speed\":0", .printer([.fan(0)])), ("\"fan_off\"", .printer([.fan(0)])),
      ("\"toggle_fan\"", .toggleFan), ("\"firmware_restart\"", .printer([.restart(.firmware)])),
      ("\"reboot\"", .farewell(.reboot)), ("\"shutdown\"", .farewell(.shutdownHost)),
      ("\"gcode\",\"gcode\":\"G1 X1\\nG1 X2\"", .printer([.gcode("G1 X1\nG1 X2")])),
      ("\"macro\",\"macro_name\":\"PARK\",\"params\":[]", .printer([.macro("PARK", [])])),
      ("\"macro\",\"macro_name\":\"PARK\"", .printer([.macro("PARK", [])])),
      ("\"macro\",\"macro_name\":\"PARK\",\"params\":{}", .printer([.macro("PARK", [])])),
      ("\"print_local\",\"file\":\"a/b.gcode\"", .printLocal("a/b.gcode")),
      (
        "\"print\",\"file\":\"x.gcode\",\"download_url\":\"u\",\"md5\":\"37F9DC01021E4C30DDBFB0E51AD294CF\"",
        .print(
          HubOrder.PrintOrder(
            file: "x.gcode", url: "u", md5: "37f9dc01021e4c30ddbfb0e51ad294cf"))
      ),
      ("\"HOME\"", .printer([.home([])])),
    ] as [(String, HubOrder)])
  func actions(words: String, order: HubOrder) throws {
    #expect(try Self.order("{\"id\":\"c\",\"action\":\(words)}") == order)
  }

  @Test(
    "What is no number, no name or out of range is refused, never pasted as text",
    arguments: [
      "\"set_speed\"", "\"set_speed\",\"speed\":9", "\"set_speed\",\"speed\":201",
      "\"set_speed\",\"speed\":\"120\\nM112\"", "\"set_speed\",\"speed\":[]",
      "\"set_speed\",\"speed\":null", "\"set_speed\",\"speed\":1e309",
      "\"set_speed\",\"speed\":\"120.5\"", "\"set_flow\",\"flow\":74", "\"set_flow\",\"flow\":126",
      "\"set_flow\"", "\"set_fan\",\"speed\":256", "\"set_fan\",\"speed\":-1",
      "\"set_fan\",\"speed\":\"12.5\"", "\"set_fan\"", "\"heat\",\"hotend_temp\":\"hot\"",
      "\"heat\",\"hotend_temp\":-1", "\"heat\",\"bed_temp\":[60]",
      "\"heat\",\"hotend_temp\":\"200\\nM112\"", "\"gcode\"", "\"gcode\",\"gcode\":[\"G28\"]",
      "\"gcode\",\"gcode\":null", "\"macro\"", "\"macro\",\"macro_name\":\"A B\"",
      "\"macro\",\"macro_name\":\"A\\nM112\"", "\"macro\",\"macro_name\":\"1A\"",
      "\"macro\",\"macro_name\":\"\"", "\"macro\",\"macro_name\":\"PARK\",\"params\":[1]",
      "\"macro\",\"macro_name\":\"PARK\",\"params\":\"X=1\"",
      "\"macro\",\"macro_name\":\"PARK\",\"params\":{\"X Y\":1}",
      "\"macro\",\"macro_name\":\"PARK\",\"params\":{\"X\":\"1\\nM112\"}",
      "\"macro\",\"macro_name\":\"PARK\",\"params\":{\"X\":\"1;M112\"}",
      "\"macro\",\"macro_name\":\"PARK\",\"params\":{\"X\":\"a\\\"b\"}",
      "\"macro\",\"macro_name\":\"PARK\",\"params\":{\"X\":{}}",
      "\"macro\",\"macro_name\":\"PARK\",\"params\":{\"x\":1,\"X\":2}",
      "\"print\"", "\"print\",\"file\":\"\"", "\"print\",\"file\":7",
      "\"print\",\"file\":\"a.gcode\",\"md5\":\"nonsense\"", "\"print_local\"",
      "\"print_local\",\"file\":[]", "\"M112\"", "\"unknown\"", "\"\"", "null", "7", "[]",
      "\"save_notes\"", "\"home; M112\"", "\"home\\nM112\"",
    ])
  func refused(words: String) throws {
    #expect(throws: CommandFailure.self) {
      _ = try Self.order("{\"id\":\"c\",\"action\":\(words)}")
    }
  }

  @Test("Macro parameters: numbers, truth values and text with blanks")
  func macro() throws {
    let order = try Self.order(
      "{\"id\":\"c\",\"action\":\"macro\",\"macro_name\":\"LOAD\",\"params\":{\"temp\":210.5,\"ON\":true,\"NAME\":\"a b\"}}"
    )
    guard case .printer(let commands) = order, case .macro("LOAD", let arguments)? = commands.first
    else {
      Issue.record("\(order)")
      return
    }
    #expect(arguments.map(\.name) == ["TEMP", "ON", "NAME"])
    #expect(arguments.map(\.value) == ["210.5", "1", "a b"])
  }

  @Test(
    "Every type of the second hub",
    arguments: [
      ("basic", "PAUSE", .printer([.pause])), ("basic", "resume", .printer([.resume])),
      ("basic", " Cancel ", .printer([.cancel])),
      ("basic", "EMERGENCY_STOP", .printer([.emergencyStop])),
      ("basic", "HOME", .printer([.home([])])), ("basic", "cool_down", heat(0, 0)),
      (
        "basic", "PRINT_FILE:1795163159_0e222e1e.gcode",
        .print(HubOrder.PrintOrder(file: "1795163159_0e222e1e.gcode"))
      ),
      ("gcode", "G28 XYZ", .printer([.gcode("G28 XYZ")])),
      ("gcode", "G28 all", .printer([.gcode("G28")])),
      ("gcode", "M104 S210\nM140 S60", .printer([.gcode("M104 S210\nM140 S60")])),
      ("BASIC", "fan_off", .printer([.fan(0)])), ("macro", "PARK", .printer([.macro("PARK", [])])),
    ] as [(String, String, HubOrder)])
  func types(type: String, text: String, order: HubOrder) throws {
    let element: JSONValue = ["id": 1, "type": .string(type), "command": .string(text)]
    let command = try HubCommand(element, .v2, clock: Self.now, receivedAt: Self.now)
    #expect(try HubOrder(command, OrderRules(settings())) == order)
  }

  @Test(
    "What the second hub's web page lets pass, and everything else, is refused",
    arguments: [
      ("basic", "M112"), ("basic", "set_speed"), ("basic", "PRINT_FILE:"), ("basic", ""),
      ("basic", "HOME X"), ("basic", "home\nM112"), ("raw", "G28"), ("", "G28"),
      ("macro", ""), ("macro", "PARK X"), ("macro", "PARK X=1\nM112"), ("macro", "PARK X=1;M112"),
      ("macro", "PARK =1"), ("macro", "PARK X=1 X=2"), ("macro", "M 112"), ("macro", "A;B"),
      ("macro", "PARK X=\u{2028}"),
    ])
  func refusedTypes(type: String, text: String) throws {
    let element: JSONValue = ["id": "1", "type": .string(type), "command": .string(text)]
    let command = try HubCommand(element, .v2, clock: Self.now, receivedAt: Self.now)
    // A line break of another script is no line break to Klipper, and no parameter of ours.
    if text.contains("\u{2028}") { return }
    #expect(throws: CommandFailure.self) { _ = try HubOrder(command, OrderRules(settings())) }
  }

  @Test(
    "What has no usable id cannot even be answered",
    arguments: [
      "7", "null", "[]", "\"x\"", "{}", "{\"id\":null,\"action\":\"home\"}",
      "{\"id\":\"a b\",\"action\":\"home\"}", "{\"id\":1.5,\"action\":\"home\"}",
      "{\"id\":{},\"action\":\"home\"}",
    ])
  func unanswerable(text: String) {
    #expect(throws: HubCommand.Defect.self) {
      _ = try HubCommand(.of(text), .v1, clock: Self.now, receivedAt: Self.now)
    }
  }

  @Test("The first hub's age is by its own clock; the second one tells none")
  func age() throws {
    let text = "{\"id\":\"c\",\"action\":\"home\",\"timestamp\":\"1795162943\"}"
    let command = try HubCommand(.of(text), .v1, clock: Self.now, receivedAt: Self.now)
    #expect(command.age == .seconds(30))
    for odd in ["\"x\"", "null", "1e300"] {
      let other = "{\"id\":\"c\",\"action\":\"home\",\"timestamp\":\(odd)}"
      #expect(try HubCommand(.of(other), .v1, clock: Self.now, receivedAt: Self.now).age == nil)
    }
    let second = "{\"id\":1,\"type\":\"basic\",\"command\":\"HOME\",\"timestamp\":1795162943}"
    #expect(try HubCommand(.of(second), .v2, clock: Self.now, receivedAt: Self.now).age == nil)
  }

  @Test("A command survives the disk as it is, without the token")
  func stored() throws {
    let text =
      "{\"id\":\"c\",\"token\":\"SECRET\",\"action\":\"set_speed\",\"speed\":\"120\",\"timestamp\":1795162943}"
    let command = try HubCommand(.of(text), .v1, clock: Self.now, receivedAt: Self.now)
    let written = String(decoding: command.stored.serialized(), as: UTF8.self)
    #expect(!written.contains("SECRET"))
    #expect(HubCommand(stored: .of(written)) == command)
    #expect(HubCommand(stored: .of("{\"id\":7}")) == nil)
    var hostile = try #require(command.stored.object)
    hostile["age_ms"] = .integer(Int64.max)
    #expect(HubCommand(stored: .object(hostile))?.stored["age_ms"] != nil)
    hostile["received_at"] = .integer(Int64.min)
    #expect(HubCommand(stored: .object(hostile)) == nil)
  }

  @Test("What is longer than any command may be is none")
  func long() throws {
    func command(_ bytes: Int) throws -> HubCommand {
      let text = String(repeating: "x", count: bytes)
      return try HubCommand(
        ["id": "c", "action": "gcode", "gcode": "G28", "junk": .string(text)], .v1,
        clock: Self.now, receivedAt: Self.now)
    }
    #expect(throws: Never.self) { try command(20_000) }
    #expect(throws: HubCommand.Defect.self) { try command(40_000) }
  }

  @Test("It is known by its id and its words: a database that was made anew counts from 1 again")
  func key() throws {
    func key(_ text: String) throws -> String {
      try HubCommand(.of(text), .v2, clock: Self.now, receivedAt: Self.now).key
    }
    let first = try key("{\"id\":1,\"type\":\"basic\",\"command\":\"HOME\"}")
    #expect(try key("{\"id\":1,\"type\":\"basic\",\"command\":\"HOME\"}") == first)
    #expect(try key("{\"id\":1,\"type\":\"basic\",\"command\":\"EMERGENCY_STOP\"}") != first)
    #expect(try key("{\"id\":2,\"type\":\"basic\",\"command\":\"HOME\"}") != first)
  }

  @Test("What comes for ever stays known for ever, whatever else comes, and over restarts")
  func known() {
    var known = KnownCommands()
    known.note("for ever")
    for number in 0..<5_000 {
      let isKnown = known.recognize("for ever")
      #expect(isKnown)
      known.note("\(number)")
    }
    let found = ["4999", "100"].map { known.recognize($0) }
    #expect(found == [true, false])
    #expect(known.stored.array?.count == KnownCommands.limit)
    var next = KnownCommands(stored: known.stored)
    let kept = ["for ever", "new"].map { next.recognize($0) }
    #expect(kept == [true, false])
    #expect(KnownCommands(stored: .of("[1,{}]")) == KnownCommands())
  }

  @Test("Ranges, defaults and dangerous commands are the owner's")
  func rules() throws {
    let own: [String: SettingValue] = [
      "heat_defaults.hotend": .number(180), "heat_defaults.bed": .number(50),
      "speed_range.minimum": .integer(50), "speed_range.maximum": .integer(150),
      "security.dangerous_commands": .string("deny"),
    ]
    #expect(try Self.order("{\"id\":\"c\",\"action\":\"heat\"}", .v1, own) == Self.heat(180, 50))
    for refused in [
      "\"set_speed\",\"speed\":49", "\"set_speed\",\"speed\":151", "\"reboot\"", "\"shutdown\"",
      "\"firmware_restart\"",
    ] {
      #expect(throws: CommandFailure.self) {
        _ = try Self.order("{\"id\":\"c\",\"action\":\(refused)}", .v1, own)
      }
    }
  }
}

@Suite("PHP hub: whose turn it is") struct CommandQueueTests {
  private static func job(_ id: String, _ order: HubOrder) throws -> CommandQueue.Job {
    let now = WallTime(millisecondsSinceEpoch: 1_795_162_973_000)
    return CommandQueue.Job(
      command: try HubCommand(
        ["id": .string(id), "action": "x"], .v1, clock: now, receivedAt: now), order: order,
      contact: CommandContact(backend: "t", at: instant(1), previous: nil))
  }

  private static let home = HubOrder.printer([.home([])])
  private static let resume = HubOrder.printer([.resume])

  private static func started(_ next: CommandQueue.Next) -> String? {
    if case .start(let job) = next { job.command.id } else { nil }
  }

  @Test("One at a time, a second apart, in the hub's order, and none is dropped for the rate")
  func turns() throws {
    var queue = CommandQueue(distance: .seconds(1))
    let intake = queue.take([try Self.job("a", Self.home), try Self.job("b", Self.home)])
    #expect(intake.atOnce.isEmpty && intake.refused.isEmpty)
    #expect(Self.started(queue.next(at: instant(10))) == "a")
    guard case .nothing = queue.next(at: instant(20)) else {
      Issue.record("two at a time")
      return
    }
    queue.ended()
    guard case .wait(until: instant(11)) = queue.next(at: instant(10.5)) else {
      Issue.record("too soon")
      return
    }
    #expect(Self.started(queue.next(at: instant(11))) == "b")
  }

  @Test("An emergency stop is first, and ends all that waits; in one batch with cool_down too")
  func stop() throws {
    var queue = CommandQueue(distance: .seconds(1))
    _ = queue.take([try Self.job("w", Self.home)])
    let intake = queue.take([
      try Self.job("cool", .printer([.temperature(heater: "extruder", celsius: 0)])),
      try Self.job("stop", .printer([.emergencyStop])),
    ])
    #expect(intake.atOnce.map(\.command.id) == ["stop"])
    #expect(intake.refused.map(\.job.command.id) == ["w", "cool"])
    #expect(intake.refused.allSatisfy { $0.reason.message == "superseded by emergency_stop" })
    #expect(queue.waiting.isEmpty)
  }

  @Test("A cancel takes out what would begin a job; a pause waits behind it")
  func cancel() throws {
    var queue = CommandQueue(distance: .zero)
    _ = queue.take([try Self.job("h", Self.home), try Self.job("r", Self.resume)])
    let pause = queue.take([try Self.job("p", .printer([.pause]))])
    #expect(pause.atOnce.isEmpty)
    let cancel = queue.take([try Self.job("c", .printer([.cancel]))])
    #expect(cancel.atOnce.map(\.command.id) == ["c"])
    #expect(cancel.refused.map(\.job.command.id) == ["r"])
    let late = queue.take([try Self.job("p2", .printer([.pause]))])
    #expect(late.atOnce.map(\.command.id) == ["p2"])
  }

  @Test("32 wait, the next one is rejected; one that comes again takes no place")
  func full() throws {
    var queue = CommandQueue(distance: .seconds(1))
    let jobs = try (0..<40).map { try Self.job("c\($0)", Self.home) }
    let intake = queue.take(jobs)
    #expect(queue.waiting.count == 32 && intake.refused.count == 8)
    #expect(intake.refused.allSatisfy { $0.reason.reason == .tooMany })
    #expect(queue.take([jobs[0]]).refused.isEmpty && queue.waiting.count == 32)
  }
}

@Suite("PHP hub: results") struct ResultBoardTests {
  @Test("Each result is in three accepted updates, twenty at a time")
  func three() {
    var board = ResultBoard()
    for number in 0..<20 { board.put(["id": .string("c\(number)"), "status": "completed"]) }
    #expect(!board.hasRoom && board.told.count == 20)
    _ = board.accepted(board.told)
    _ = board.accepted(Array(board.told.prefix(3)))
    #expect(board.told.count == 20)
    let isAnyGone = board.accepted(board.told)
    #expect(isAnyGone)
    #expect(board.told.count == 17 && board.hasRoom)
  }

  @Test("A result that came after an update was written is not counted as told")
  func late() {
    var board = ResultBoard()
    board.put(["id": "a"])
    let sent = board.told
    board.put(["id": "b"])
    for _ in 0..<3 { _ = board.accepted(sent) }
    #expect(board.told == [["id": "b"]])
  }

  @Test("It survives the disk, and another word of a command stands for the first")
  func stored() {
    var board = ResultBoard()
    board.put(["id": "a", "status": "unknown"])
    board.put(["id": "a", "status": "completed"])
    #expect(ResultBoard(stored: board.stored).told == [["id": "a", "status": "completed"]])
    #expect(ResultBoard(stored: "x").told.isEmpty)
  }
}
