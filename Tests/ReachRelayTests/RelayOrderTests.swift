import ConnectorKit
import JSON
import Testing

@testable import ReachRelay

@Suite("Reach: what a command means") struct RelayOrderTests {
  private static func order(
    _ name: String, _ params: JSONObject = [:]
  ) throws(RelayOrder.Defect) -> RelayOrder {
    try RelayOrder(RelayCommand(id: "1", name: name, params: params))
  }

  private static func defect(_ name: String, _ params: JSONObject = [:]) -> RelayOrder.Defect? {
    do throws(RelayOrder.Defect) {
      _ = try order(name, params)
      return nil
    } catch { return error }
  }

  // MARK: Pulls

  @Test("A pull brings nothing, a command, or something that is none")
  func pulled() {
    #expect(PulledCommand([:]) == .nothing)
    #expect(PulledCommand(["command": nil, "more": 1]) == .nothing)
    #expect(
      PulledCommand(["command": ["requestId": "r", "command": "printer.info", "userId": 5]])
        == .command(RelayCommand(id: "r", name: "printer.info", params: [:])))
    #expect(
      PulledCommand(["command": ["requestId": "r", "command": "printer.info", "params": nil]])
        == .command(RelayCommand(id: "r", name: "printer.info", params: [:])))
    for command: JSONValue in [
      ["command": "printer.info"], ["requestId": "", "command": "printer.info"],
      ["requestId": 5, "command": "printer.info"], "printer.info", [], 5,
      ["requestId": .string(String(repeating: "r", count: 257)), "command": "printer.info"],
    ] {
      guard case .unanswerable = PulledCommand(["command": command]) else {
        Issue.record("\(command) can be answered")
        continue
      }
    }
    for command: JSONValue in [
      ["requestId": "r"], ["requestId": "r", "command": ""], ["requestId": "r", "command": 5],
      ["requestId": "r", "command": "printer.info", "params": []],
      ["requestId": "r", "command": "printer.info", "params": "x"],
    ] {
      guard case .malformed(id: "r", _) = PulledCommand(["command": command]) else {
        Issue.record("\(command) is not malformed")
        continue
      }
    }
  }

  // MARK: Names

  @Test(
    "Tricks with names are refused",
    arguments: [
      "", ".", "..", "printer..info", ".printer.info", "printer.info.", "printer/info",
      "printer.info?x=1", "printer.%2E%2E.info", "printer.%2e.info", "server%2Finfo.x",
      "server.%2Finfo", "server.%5Cinfo", "server.info%00", "server.info\0", "server.%0Ainfo",
      "server.%zz", "server.%2", "server.%", "server. info", "sérver.info", "ｐrinter.info",
      "server.%FF", "server.%C0%AE", "printer.gcode.script\n", "server.files.list;x",
      "access%2Eapi_key", "access.api_key", "%61ccess.api_key", "server.%6Asonrpc",
    ])
  func names(name: String) {
    #expect(Self.defect(name)?.code == .forbidden)
    #expect(Self.defect(name)?.problem.hasPrefix("command not allowed: ") == true)
  }

  @Test("A name of 64 kB is refused, and told short")
  func longName() {
    let name = String(repeating: "a", count: 65_536)
    #expect(Self.defect(name)?.problem.utf8.count == "command not allowed: ".utf8.count + 200)
  }

  @Test("A dot inside of a part is %2E, and anything may be encoded")
  func encoding() throws {
    #expect(RelayOrder.parts(of: "a.b%2Ec.%64") == ["a", "b.c", "d"])
    #expect(RelayOrder.parts(of: "a.%C3%A4") == ["a", "ä"])
    let path = try #require(GCodePath("a b.gcode"))
    #expect(
      try Self.order("server.files.gcodes.a%20b%2Egcode", ["__method": "delete"])
        == .printer(.deleteFile(path)))
    #expect(try Self.order("printer.%70rint.pause") == .printer(.pause))
  }

  // MARK: Arguments

  @Test("With GET only the query counts; with any other method the rest is the body")
  func arguments() throws {
    let get = try Self.order(
      "server.history.list",
      [
        "__method": "GET", "__query": ["limit": 1, "a": true, "b": nil, "c": ["x", 2]], "since": 5,
      ])
    guard case .printer(.query(let request)) = get else {
      Issue.record("no look")
      return
    }
    #expect(request.arguments == ["limit": "1", "a": "true", "b": "", "c": "x,2"])
    let post = try Self.order(
      "machine.wled.strip", ["strip": "a", "action": "on", "__query": ["brightness": 5]])
    guard case .printer(.raw(let lamp)) = post else {
      Issue.record("not raw")
      return
    }
    #expect(lamp.method == .post)
    #expect(lamp.arguments == ["brightness": "5", "strip": "a", "action": "on"])
  }

  @Test("Values in a query")
  func values() {
    #expect(RelayOrder.queryText(false) == "false")
    #expect(RelayOrder.queryText(1.5) == "1.5")
    #expect(RelayOrder.queryText(nil) == "")
    #expect(RelayOrder.queryText(["a", nil, true]) == "a,,true")
    #expect(RelayOrder.queryText(["a": 1]) == nil)
    #expect(RelayOrder.queryText([["a"]]) == nil)
  }

  @Test("Wrong types and methods that Moonraker does not have are told so")
  func wrong() {
    #expect(Self.defect("printer.info", ["__method": 5])?.code == .malformed)
    #expect(Self.defect("printer.info", ["__method": nil])?.code == .malformed)
    for method in ["PUT", "PATCH", "HEAD", "OPTIONS", "GET ", ""] {
      #expect(Self.defect("printer.info", ["__method": .string(method)])?.code == .forbidden)
    }
    #expect(Self.defect("printer.info", ["__query": "a=b"])?.code == .malformed)
    #expect(Self.defect("printer.info", ["__query": ["a": ["b": 1]]])?.code == .malformed)
    #expect(
      Self.defect("printer.print.start", ["filename": ["a"]])?.problem
        == "malformed command: filename is missing, or no path below gcodes")
  }

  @Test("A GET of what acts is what it is")
  func getActs() throws {
    #expect(
      try Self.order("printer.gcode.script", ["__method": "GET", "__query": ["script": "G28"]])
        == .printer(.gcode("G28")))
    #expect(try Self.order("printer.print.cancel", ["__method": "GET"]) == .printer(.cancel))
  }

  @Test("Only this connector is ever ended, and what the system does besides is unsupported")
  func system() throws {
    #expect(try Self.order("system.shutdown") == .shutDown)
    #expect(try Self.order("system.uninstall", ["__method": 5]) == .uninstall)
    for name in ["system", "system.reboot", "system.shutdown.now", "system.Shutdown"] {
      #expect(Self.defect(name)?.code == .unsupported)
      #expect(Self.defect(name)?.problem == "unsupported command: \(name)")
    }
  }

  // MARK: Lanes

  @Test("Pause, cancel and stop go at once, looks beside the rest")
  func lanes() throws {
    for name in ["printer.print.pause", "printer.print.cancel", "printer.emergency_stop"] {
      #expect(try Self.order(name).lane == .urgent)
    }
    #expect(try Self.order("server.info", ["__method": "GET"]).lane == .reads)
    #expect(try Self.order("server.info").lane == .worker)
    #expect(try Self.order("printer.print.resume").lane == .worker)
  }
}
