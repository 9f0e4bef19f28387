import ConnectorKit
import JSON
import TestSupport
import Testing

@testable import PrintDock

@Suite("PrintDock's commands, decoded") struct CommandDecodingTests {
  private func decode(_ text: String) throws -> ReceivedCommand {
    ReceivedCommand(try JSONSlice(document: Array(text.utf8)), printerID: 262)
  }

  private func order(_ text: String) throws -> CommandOrder {
    guard case .order(let order) = try decode(text) else {
      throw BackendFailure(.reject, "no order: \(try decode(text))")
    }
    return order
  }

  private func refusal(_ text: String) throws -> JSONValue {
    guard case .refused(let completion) = try decode(text) else {
      throw BackendFailure(.reject, "no refusal: \(try decode(text))")
    }
    return .object(completion.body)
  }

  private func refusal(of action: String, _ params: String) throws -> String? {
    let body = try refusal(
      #"{"id":1,"printer_id":262,"action":"\#(action)","params":\#(params)}"#)
    #expect(body["status"] == "failed")
    #expect(body["result"] == ["action": .string(action)])
    return body["error_message"]?.string
  }

  private func task(_ action: String, _ params: String) throws -> CommandTask {
    try order(#"{"id":1,"printer_id":262,"action":"\#(action)","params":\#(params)}"#).task
  }

  @Test(
    "Ids of commands are text, and a number keeps its spelling",
    arguments: [
      ("1001", "1001"), ("\"1001\"", "1001"), ("1.0", "1.0"), ("\"a/b c\"", "a/b c"),
    ])
  func ids(id: String, text: String) throws {
    #expect(try order(#"{"id":\#(id),"printer_id":262,"action":"pause"}"#).id == text)
  }

  @Test(
    "An element without a usable id cannot be answered",
    arguments: [
      "7", "null", "[]", "{}", #"{"id":null}"#, #"{"id":""}"#, #"{"id":[1]}"#, #"{"id":".."}"#,
      #"{"id":"a\nb"}"#, #"{"id":true}"#, "{\"id\":\"\(String(repeating: "x", count: 257))\"}",
      "{\"id\":\"\u{5C}ud800\"}",
    ])
  func unreadable(text: String) throws {
    guard case .unreadable = try decode(text) else {
      Issue.record("it was read")
      return
    }
  }

  @Test(
    "The printer's number is taken as integer, integral float or digits",
    arguments: [
      "262", "262.0", "2.62e2", "\"262\"", "\"0262\"",
    ])
  func printer(number: String) throws {
    #expect(
      try order(#"{"id":1,"printer_id":\#(number),"action":"pause"}"#).task.action == "pause")
  }

  @Test(
    "Another printer's command fails in PrintDock's own words, without an action",
    arguments: [
      ("999", 999), ("\"999\"", 999), ("null", 0), ("-1", -1),
    ])
  func unknownPrinter(number: String, told: Int) throws {
    let body = try refusal(#"{"id":1,"printer_id":\#(number),"action":"pause"}"#)
    #expect(
      body == [
        "status": "failed", "error_message": .string("unknown printer_id \(told)"),
        "result": ["printer_id": .integer(told)],
      ])
    let absent = try refusal(#"{"id":1,"action":"pause"}"#)
    #expect(absent["error_message"] == "unknown printer_id 0")
  }

  @Test(
    "A bad element with a readable id is answered as an invalid command",
    arguments: [
      (#""printer_id":2.5,"action":"pause""#, "printer_id is not a whole number"),
      (#""printer_id":"x","action":"pause""#, "printer_id is not a whole number"),
      (#""printer_id":true,"action":"pause""#, "printer_id is not a whole number"),
      (#""printer_id":1e99,"action":"pause""#, "printer_id is not a whole number"),
      (#""printer_id":262"#, "action is missing"),
      (#""printer_id":262,"action":7"#, "action is missing"),
      (#""printer_id":262,"action":"pause","params":[]"#, "params is not an object"),
      (#""printer_id":262,"action":"pause","params":"x""#, "params is not an object"),
      (#""printer_id":262,"action":"pause","params":"[1]""#, "params is not an object"),
      (#""printer_id":262,"action":"pause","params":7"#, "params is not an object"),
    ])
  func invalid(members: String, problem: String) throws {
    let body = try refusal("{\"id\":1,\(members)}")
    #expect(body["error_message"]?.string == "invalid command: \(problem)")
  }

  @Test(
    "Parameters come as an object, null, nothing, or a string that holds an object",
    arguments: [
      #"{"filename":"a.gcode"}"#, #""{\"filename\":\"a.gcode\"}""#,
    ])
  func parameters(params: String) throws {
    #expect(
      try task("start_print", params).command == .start(#require(GCodePath("a.gcode")), .person))
    #expect(try task("pause", "null").command == .pause)
    #expect(try order(#"{"id":1,"printer_id":262,"action":"cancel"}"#).task.command == .cancel)
  }

  @Test("All ten actions are declared, decoded under their name, and of the declared kind")
  func actions() throws {
    let params: [String: String] = [
      "start_print": #"{"filename":"a.gcode"}"#, "delete_file": #"{"filename":"a.gcode"}"#,
      "upload_file": #"{"filename":"a.gcode","content":"QQ=="}"#,
      "create_backup":
        #"{"backup_id":"b","presigned_url":"https://s.example/x","include":{"config":true}}"#,
    ]
    #expect(CommandTask.declared.count == 10)
    for declared in CommandTask.declared {
      let task = try task(declared.wireName, params[declared.wireName] ?? "{}")
      #expect(task.action == declared.wireName)
      #expect(task.command.kind == declared.kind)
    }
  }

  @Test("What is not there is named with its action; a wrong type counts as missing")
  func missing() throws {
    for params in ["{}", #"{"filename":7}"#, #"{"filename":""}"#, #"{"filename":null}"#] {
      for action in ["start_print", "upload_file", "delete_file"] {
        #expect(try refusal(of: action, params) == "missing params.filename for \(action)")
      }
    }
    for params in [#"{"filename":"a.gcode"}"#, #"{"filename":"a.gcode","content":""}"#] {
      #expect(try refusal(of: "upload_file", params) == "missing params.content for upload_file")
    }
    #expect(try refusal(of: "create_backup", "{}") == "missing params.backup_id")
    #expect(
      try refusal(of: "create_backup", #"{"backup_id":"b"}"#) == "missing params.presigned_url")
    #expect(try refusal(of: "dance", "{}") == "unsupported action: dance")
  }

  @Test(
    "Paths that lead elsewhere are refused",
    arguments: [
      "../config/printer.cfg", "/etc/passwd", "~/x.gcode", "a/../../x.gcode", "a//b.gcode",
      "a\\r\\nb.gcode", "a\\u0000.gcode", "a\\\\b.gcode", ".", "..", "a/./b.gcode",
      String(repeating: "n", count: 256) + ".gcode",
      String(repeating: "d/", count: 600) + "x.gcode",
      String(repeating: "x", count: 70_000),
    ])
  func hostilePaths(path: String) throws {
    for action in ["start_print", "delete_file", "upload_file"] {
      let params = #"{"filename":"\#(path)","content":"QQ=="}"#
      #expect(try refusal(of: action, params) == "invalid params.filename")
    }
  }

  @Test("Only G-code is uploaded", arguments: ["x.cfg", "x", "x.gcode.sh", ".gcode", "x.py"])
  func extensions(name: String) throws {
    #expect(
      try refusal(of: "upload_file", #"{"filename":"\#(name)","content":"QQ=="}"#)
        == "invalid params.filename")
  }

  @Test(
    "Axes are trimmed, upper-cased and taken once; nothing usable means all",
    arguments: [
      (#"{"axes":["X"]}"#, [.x], ["X"]), (#"{"axes":[" z ","x"]}"#, [.z, .x], [" z ", "x"]),
      (#"{"axes":["Y","y"]}"#, [.y], ["Y", "y"]), (#"{"axes":[]}"#, [], []),
      (#"{"axes":"X"}"#, [], []), (#"{"axes":null}"#, [], []), (#"{"axes":[1,2]}"#, [], []),
      ("{}", [], []),
    ] as [(String, [PrinterCommand.Axis], [String])])
  func homing(params: String, axes: [PrinterCommand.Axis], told: [String]) throws {
    guard case .homing(let got, let words) = try task("homing", params) else {
      Issue.record("no homing")
      return
    }
    #expect(got == axes)
    #expect(words == told)
  }

  @Test("An axis that there is not is refused by name, also beside others")
  func axis() throws {
    #expect(try refusal(of: "homing", #"{"axes":["E"]}"#) == "invalid axis: E")
    #expect(try refusal(of: "homing", #"{"axes":["X","e"]}"#) == "invalid axis: E")
    #expect(try refusal(of: "homing", #"{"axes":["X\nM112"]}"#) == "invalid axis: X?M112")
    let many = "[" + Array(repeating: "\"X\"", count: 33).joined(separator: ",") + "]"
    #expect(try refusal(of: "homing", #"{"axes":\#(many)}"#) == "invalid params.axes")
  }

  @Test(
    "The history's limit: a number above zero with its fraction cut, else 50",
    arguments: [
      (#"{"limit":7}"#, 7), (#"{"limit":7.9}"#, 7), (#"{"limit":0}"#, 50), (#"{"limit":-3}"#, 50),
      (#"{"limit":"7"}"#, 50), (#"{"limit":null}"#, 50), ("{}", 50), (#"{"limit":1e300}"#, 10_000),
      (#"{"limit":0.5}"#, 50),
    ])
  func limit(params: String, limit: Int) throws {
    #expect(try task("import_history", params).command == .history(limit: limit))
  }

  @Test(
    "Names of backups are one plain word",
    arguments: [
      "../x", ".x", "a/b", "a b", "ä", String(repeating: "b", count: 129), "a\\u0000",
    ])
  func backupNames(name: String) throws {
    let params =
      #"{"backup_id":"\#(name)","presigned_url":"https://s.example/x","include":{"config":true}}"#
    #expect(try refusal(of: "create_backup", params) == "invalid params.backup_id")
  }

  @Test("A backup of nothing is refused")
  func emptyBackup() throws {
    for include in ["{}", "null", #"{"config":false}"#, #"{"config":"yes"}"#, "[]"] {
      let params =
        #"{"backup_id":"b_1.A-z","presigned_url":"https://s.example/x","include":\#(include)}"#
      #expect(
        try refusal(of: "create_backup", params)
          == "failed to create backup: no directories selected for backup")
    }
  }
}

@Suite("Base64 in pieces") struct Base64DecoderTests {
  private func decode(_ text: String, piece: Int) throws(Base64Decoder.Defect) -> [UInt8] {
    var decoder = Base64Decoder()
    var bytes: [UInt8] = []
    let text = Array(text.utf8)
    for start in stride(from: 0, to: text.count, by: piece) {
      bytes += try decoder.decode(Array(text[start..<min(text.count, start + piece)]))
    }
    try decoder.finish()
    return bytes
  }

  @Test(
    "Whole groups, padding and line breaks, whatever the pieces",
    arguments: [
      ("", ""), ("QQ==", "A"), ("QUI=", "AB"), ("QUJD", "ABC"), ("QUJD\r\nREVG\n", "ABCDEF"),
      ("Q\nU\rJ\nD", "ABC"), ("QQ=\n=\n", "A"),
    ])
  func decodes(text: String, bytes: String) throws {
    for piece in 1...5 { #expect(try decode(text, piece: piece) == Array(bytes.utf8)) }
  }

  @Test(
    "What is no base64 is refused with its place",
    arguments: [
      ("QQ", 2), ("QQ=", 3), ("Q===", 1), ("=", 0), ("QQ==QQ==", 4), ("QU-D", 2), ("QQ=A", 3),
      ("QUJD*", 4), ("QUJD\nQ", 6), ("QUJ ", 3),
    ])
  func refuses(text: String, offset: Int) {
    for piece in 1...5 {
      #expect(throws: Base64Decoder.Defect(offset: offset)) { try decode(text, piece: piece) }
    }
  }
}
