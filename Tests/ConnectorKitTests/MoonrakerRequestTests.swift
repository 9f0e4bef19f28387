import ConnectorKit
import JSON
import Testing

@Suite("Requests to Moonraker") struct MoonrakerRequestTests {
  private static func request(
    _ path: String, _ method: MoonrakerRequest.Method, _ body: JSONObject = [:]
  ) throws -> MoonrakerRequest {
    try #require(
      MoonrakerRequest(
        parts: path.split(separator: ".").map(String.init), method: method, body: body))
  }

  @Test(
    "A path that Moonraker cannot have is none",
    arguments: [
      [], [""], ["a", ""], ["a", "."], ["a", ".."], ["a", "b/c"], ["a", "b\\c"], ["a", "b\nc"],
      ["a", "b\0"], ["a", "b\u{7F}"], ["a", "\u{2028}"], [String(repeating: "a", count: 1_024)],
    ])
  func paths(parts: [String]) {
    #expect(MoonrakerRequest(parts: parts, method: .get) == nil)
  }

  @Test(
    "Looks are looks with GET alone",
    arguments: [
      "printer.info", "printer.gcode.help", "server.info", "server.history.list",
      "server.history.job", "server.webcams.item", "machine.wled.strip", "machine.proc_stats",
      "machine.update.status", "server.files.list", "server.files.directory",
    ])
  func looks(path: String) throws {
    guard case .read = try Self.request(path, .get).effect else {
      Issue.record("\(path) is no look")
      return
    }
    for method in [MoonrakerRequest.Method.post, .delete] {
      if case .read = try Self.request(path, method).effect { Issue.record("\(path) \(method)") }
    }
  }

  @Test("Klipper's objects may be asked for with POST too")
  func objects() throws {
    #expect(try Self.request("printer.objects.query", .post).effect == .read(.status))
    #expect(try Self.request("printer.objects.query", .delete).effect != .read(.status))
  }

  @Test(
    "A method never makes a command harmless", arguments: MoonrakerRequest.Method.allCases,
    [
      "printer.gcode.script", "printer.print.start", "printer.pause_resume.cancel",
      "printer.emergency_stop", "printer.gcode.firmware_restart", "machine.reboot",
      "machine.shutdown", "server.job_queue.start",
    ])
  func harmless(method: MoonrakerRequest.Method, path: String) throws {
    #expect(try Self.request(path, method).effect == .named)
  }

  @Test(
    "What only sounds like a look is none",
    arguments: [
      "server.history.reset_totals", "server.webcams.test", "server.announcements.update",
      "server.spoolman.proxy", "machine.device_power.device", "machine.device_power.on",
      "machine.wled.on", "machine.wled.toggle", "machine.update.refresh",
      "printer.query_endstops", "server.sensors", "printer.objects",
    ])
  func soundsHarmless(path: String) throws {
    if case .read = try Self.request(path, .get).effect { Issue.record("\(path) counts as a look") }
  }

  @Test(
    "Never taken, with any method, in any case and below",
    arguments: [
      "access.api_key", "access.user", "access.users.list", "Access.Login", "server.jsonrpc",
      "server.extensions.request", "server.extensions.list", "connection.send_event",
      "connection.register_remote_method", "server.connection.identify", "server.config",
      "machine.sudo.password", "machine.sudo.info", "printer.objects.subscribe",
      "PRINTER.OBJECTS.SUBSCRIBE", "printer.register_remote_method", "printer.list_endpoints",
      "server.mqtt.publish", "debug.database.list", "server.database.post_item",
      "server.database.restore", "server.database.backup", "server.database.compact",
      "server.files.delete_file", "server.files.get_directory", "server.webcams.post_item",
      "server.analysis.dump_config", "server.websocket.id", "server.files.upload",
      "server.files.config.moonraker", "server.files.klippy", "a b.c", "server.ſ.x",
    ])
  func never(path: String) throws {
    for method in MoonrakerRequest.Method.allCases {
      #expect(try Self.request(path, method).effect == .never)
    }
  }

  @Test("A part with a dot in it is no way around the list")
  func dots() throws {
    for parts in [["access.api_key"], ["server", "files.list"], ["access.user", "x"]] {
      let request = try #require(MoonrakerRequest(parts: parts, method: .get))
      #expect(request.effect == .never)
    }
  }

  @Test("The database may be read, not written")
  func database() throws {
    #expect(try Self.request("server.database.item", .get).effect == .calm)
    #expect(try Self.request("server.database.item", .post).effect == .never)
    #expect(try Self.request("server.database.item", .delete).effect == .never)
    #expect(try Self.request("server.database.list", .get).effect == .calm)
  }

  struct FileRow: Sendable {
    var path: String
    var method: MoonrakerRequest.Method
    var body: JSONObject
    var effect: MoonrakerRequest.Effect
    init(
      _ path: String, _ method: MoonrakerRequest.Method, _ body: JSONObject,
      _ effect: MoonrakerRequest.Effect
    ) {
      (self.path, self.method, self.body, self.effect) = (path, method, body, effect)
    }
  }

  @Test(
    "File operations stay within gcodes",
    arguments: [
      FileRow("server.files.list", .get, [:], .read(.filesList)),
      FileRow("server.files.list", .get, ["root": "gcodes"], .read(.filesList)),
      FileRow("server.files.list", .get, ["root": "config"], .never),
      FileRow("server.files.list", .get, ["root": ["gcodes"]], .never),
      FileRow("server.files.directory", .get, ["path": "gcodes/a"], .read(.filesList)),
      FileRow("server.files.directory", .get, ["path": "config"], .never),
      FileRow("server.files.directory", .get, ["path": "gcodes/../config"], .never),
      FileRow("server.files.directory", .get, ["path": "gcodesx"], .never),
      FileRow("server.files.metadata", .get, ["filename": "a.gcode"], .read(.filesList)),
      FileRow("server.files.metadata", .get, ["filename": "../x.gcode"], .never),
      FileRow("server.files.metadata", .get, [:], .never),
      FileRow("server.files.directory", .post, ["path": "config/x"], .never),
      FileRow("server.files.directory", .delete, ["path": "config", "force": true], .never),
      FileRow(
        "server.files.move", .post, ["source": "config/a.cfg", "dest": "gcodes/a.gcode"], .never),
      FileRow(
        "server.files.move", .post, ["source": "gcodes/a.gcode", "dest": "config/a.cfg"], .never),
      FileRow(
        "server.files.copy", .post, ["source": "gcodes/a.gcode", "dest": "gcodes/../b"], .never),
      FileRow("server.files.zip", .post, ["dest": "gcodes/a.zip", "items": ["config/a"]], .never),
      FileRow("server.files.zip", .post, ["items": ["gcodes/a"]], .never),
      FileRow("server.files.metascan", .post, ["filename": "/etc/passwd"], .never),
      FileRow("server.analysis.process", .post, ["filename": "../config/a.cfg"], .never),
      FileRow("server.analysis.estimate", .get, ["filename": "/a/../../x.gcode"], .never),
      FileRow("server.analysis.process", .post, [:], .never),
      FileRow(
        "server.analysis.process", .post,
        ["filename": "a.gcode", "estimator_config": "moonraker.conf"], .never),
    ])
  func files(row: FileRow) throws {
    #expect(try Self.request(row.path, row.method, row.body).effect == row.effect)
  }

  @Test("What writes into a file of gcodes is a file operation")
  func analysis() throws {
    let request = try Self.request("server.analysis.process", .post, ["filename": "a/b.gcode"])
    #expect(request.effect == .files([try #require(GCodePath("a/b.gcode"))]))
  }

  @Test("A file below gcodes is deleted by its path, one elsewhere never")
  func deletion() throws {
    let own = try #require(
      MoonrakerRequest(parts: ["server", "files", "gcodes", "a", "b.gcode"], method: .delete))
    #expect(try PrinterCommand(own) == .deleteFile(try #require(GCodePath("a/b.gcode"))))
    let other = try #require(
      MoonrakerRequest(parts: ["server", "files", "config", "b.cfg"], method: .delete))
    #expect(other.effect == .never)
    let fetch = try #require(
      MoonrakerRequest(parts: ["server", "files", "gcodes", "b.gcode"], method: .get))
    #expect(fetch.effect == .never)
  }

  @Test("A query of Klipper's objects is read as Moonraker reads it")
  func query() throws {
    let request = try #require(
      MoonrakerRequest(
        parts: ["printer", "objects", "query"], method: .get,
        query: [("print_stats", "state,filename"), ("toolhead", "")]))
    #expect(
      request.sentArguments
        == ["objects": ["print_stats": ["state", "filename"], "toolhead": nil]])
    let plain = try #require(
      MoonrakerRequest(
        parts: ["server", "history", "list"], method: .get, query: [("limit", "1")]))
    #expect(plain.sentArguments == ["limit": "1"])
  }

  @Test("Requests become the commands that they are")
  func commands() throws {
    let path = try #require(GCodePath("a.gcode"))
    let rows: [(String, JSONObject, PrinterCommand)] = [
      ("printer.print.pause", [:], .pause), ("printer.print.resume", [:], .resume),
      ("printer.print.cancel", [:], .cancel), ("printer.emergency_stop", [:], .emergencyStop),
      ("printer.print.start", ["filename": "a.gcode"], .start(path, .person)),
      ("printer.gcode.script", ["script": "G28"], .gcode("G28")),
      ("printer.restart", [:], .restart(.klipper)),
      ("printer.firmware_restart", [:], .restart(.firmware)),
      ("machine.reboot", [:], .reboot), ("machine.shutdown", [:], .shutdownHost),
      (
        "machine.device_power.device", ["device": "a", "action": "on"],
        .power(device: "a", isOn: true)
      ),
      ("machine.device_power.off", ["a": nil], .power(device: "a", isOn: false)),
      ("server.job_queue.job", ["filenames": ["a.gcode"]], .queue(.add([path], isReset: false))),
      ("server.job_queue.jump", ["job_id": "0001"], .queue(.first("0001"))),
      ("server.job_queue.pause", [:], .queue(.pause)), ("server.job_queue.start", [:], .startQueue),
    ]
    for (name, body, command) in rows {
      #expect(try PrinterCommand(try Self.request(name, .post, body)) == command)
    }
    #expect(
      try PrinterCommand(try Self.request("server.job_queue.job", .delete, ["job_ids": "1,2"]))
        == .queue(.remove(["1", "2"])))
    #expect(
      try PrinterCommand(try Self.request("server.job_queue.job", .delete, ["all": "true"]))
        == .queue(.clear))
  }

  @Test(
    "What is missing or of the wrong type is invalid",
    arguments: [
      ("printer.print.start", JSONObject()), ("printer.print.start", ["filename": 1]),
      ("printer.print.start", ["filename": "../a.gcode"]), ("printer.gcode.script", [:]),
      ("printer.gcode.script", ["script": ["G28"]]), ("server.job_queue.job", [:]),
      ("server.job_queue.job", ["filenames": [1]]), ("server.job_queue.jump", ["job_id": 5]),
    ] as [(String, JSONObject)])
  func invalid(path: String, body: JSONObject) throws {
    let request = try Self.request(path, .post, body)
    #expect { try PrinterCommand(request) } throws: { ($0 as? CommandFailure)?.reason == .invalid }
  }
}
