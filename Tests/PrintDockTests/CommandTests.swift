import ConnectorKit
import JSON
import Networking
import Platform
import TestSupport
import Testing

@testable import PrintDock

@Suite("PrintDock's commands, executed", .timeLimit(.minutes(2))) struct CommandTests {
  private func command(_ id: Int, _ action: String, _ params: String = "{}") -> String {
    PaperCloud.command(id, action, params)
  }

  @Test("What the original told of each recorded command, we tell too")
  func transcripts() async throws {
    let polls = try PrintDockFixture.exchanges("commands")
    let recorded = try PrintDockFixture.exchanges("complete")
    var compared = 0
    for given in polls.flatMap({ $0["response"]?["body"]?.array ?? [] }) {
      let id = try #require(given["id"]?.integer)
      let action = try #require(given["action"]?.string)
      let body = try #require(
        recorded.first { $0["path"]?.string == "/api/v1/commands/\(id)/complete" }?["body"])
      guard action != "create_backup", body["error_message"]?.string?.contains("{") != true else {
        continue
      }
      let cloud = PaperCloud()
      let bench = TestBench(cloud)
      bench.gateway.answer { _ in
        .done(body["result"]?["files"] ?? body["result"]?["history"]?["result"])
      }
      cloud.hand(String(decoding: given.serialized(), as: UTF8.self))
      try await bench.serve { await bench.pass { bench.completions.count == 1 } }
      #expect(bench.completions == [body])
      #expect(bench.calls("complete")[0].path == "/api/v1/commands/\(id)/complete")
      compared += 1
    }
    #expect(compared == 12)
  }

  @Test("Polls carry the original's headers and query, each three seconds with jitter")
  func polls() async throws {
    let bench = TestBench(PaperCloud())
    try await bench.serve { await bench.pass(.seconds(60)) }
    let polls = bench.calls("commands")
    #expect(polls.count == 20)
    let poll = try #require(polls.first)
    #expect(poll.method == "GET" && poll.body == nil && poll.answerLimit == 64 << 20)
    #expect(poll.url == "https://www.spoolr.io/api/v1/connectors/46/commands?limit=20")
    #expect(
      poll.fields.map(\.name) == ["Accept", "User-Agent", "Authorization", "X-Connector-Id"])
    #expect(bench.gateway.contacts.count == 20)
  }

  @Test(
    "PrintDock's word on the interval counts where the file is silent",
    arguments: [(nil, 10, 6), (5, 10, 12), (nil, nil, 20)] as [(Int?, Int?, Int)])
  func interval(configured: Int?, told: Int?, count: Int) async throws {
    var identity = TestBench.paired
    identity["commands_seconds"] = told.map { .integer($0) }
    let bench = TestBench(identity: identity, PaperCloud().script)
    var extra: [String: SettingValue] = [:]
    extra["poll_commands_seconds"] = configured.map { .duration(.seconds($0)) }
    try await bench.serve(extra) { await bench.pass(.seconds(60)) }
    #expect(bench.calls("commands").count == count)
  }

  @Test("A bad element does not spoil its neighbours")
  func tolerant() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    cloud.hand(
      command(1, "pause"), #"{"id":"2","printer_id":"x","action":"pause"}"#, "17",
      #"{"id":3,"printer_id":999,"action":"pause"}"#, #"{"printer_id":262,"action":"pause"}"#,
      command(4, "delete_file", #"{"filename":"../config/printer.cfg"}"#), command(5, "reboot"),
      command(6, "cancel"))
    try await bench.serve { await bench.pass { bench.completions.count == 6 } }
    #expect(Set(bench.gateway.submitted.map(\.id)) == ["1", "6"])
    let told = Dictionary(
      uniqueKeysWithValues: bench.calls("complete").map {
        ($0.path, $0.json["error_message"]?.string)
      })
    #expect(
      told == [
        "/api/v1/commands/1/complete": nil,
        "/api/v1/commands/2/complete": "invalid command: printer_id is not a whole number",
        "/api/v1/commands/3/complete": "unknown printer_id 999",
        "/api/v1/commands/4/complete": "invalid params.filename",
        "/api/v1/commands/5/complete": "unsupported action: reboot",
        "/api/v1/commands/6/complete": nil,
      ])
    #expect(bench.log.lines.count { $0.contains("is dropped") } == 2)
  }

  @Test(
    "An answer that is no list is an error, backed off from, and no contact",
    arguments: [
      "{}", "", "[1,", "<html>", "garbage", "7",
    ])
  func badAnswer(text: String) async throws {
    let bench = TestBench(identity: TestBench.paired) { request, _ in
      request.cloudCall == "commands" ? .json(200, text) : .json(200, "{}")
    }
    try await bench.serve {
      await bench.pass(.seconds(60))
      guard case .degraded(let problem, _)? = bench.health.last else {
        Issue.record("nothing was said")
        return
      }
      #expect(problem.hasPrefix("not a PrintDock answer: "))
    }
    #expect(bench.gateway.contacts.isEmpty)
    #expect((3...8).contains(bench.calls("commands").count))
  }

  @Test("An answer beyond the limit is an error that names the size")
  func tooLarge() async throws {
    let bench = TestBench(identity: TestBench.paired) { request, _ throws(NetworkError) in
      if request.cloudCall == "commands" {
        throw NetworkError(.tooLarge, "the answer is larger than \(request.answerLimit) bytes")
      }
      return .json(200, "{}")
    }
    try await bench.serve(["max_answer_mb": .integer(2)]) {
      await bench.pass { bench.log.lines.contains { $0.contains("larger than 2 MB") } }
    }
    #expect(bench.calls("commands").first?.answerLimit == 2 << 20)
  }

  @Test("Polling goes on while a command runs; pause overtakes, the rest waits in order")
  func overtakes() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    let homed = Gate()
    bench.gateway.answer { request in
      if request.wireName == "homing" { await homed.wait() }
      return .done()
    }
    cloud.hand(command(1, "homing"), command(2, "sync_files"))
    try await bench.serve {
      await bench.pass { bench.gateway.submitted.map(\.id) == ["1"] }
      cloud.hand(command(3, "pause"))
      await bench.pass { bench.completions.count == 1 }
      #expect(bench.gateway.submitted.map(\.id) == ["1", "3"])
      #expect(bench.calls("complete").map(\.path) == ["/api/v1/commands/3/complete"])
      homed.open()
      await bench.pass { bench.completions.count == 3 }
    }
    #expect(bench.gateway.submitted.map(\.id) == ["1", "3", "2"])
  }

  @Test("A cancel ends the starts and resumes that wait for their turn, and nothing else")
  func cancelEndsStarts() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    let homed = Gate()
    bench.gateway.answer { request in
      if request.wireName == "homing" { await homed.wait() }
      return .done()
    }
    cloud.hand(
      command(1, "homing"), command(2, "start_print", #"{"filename":"a.gcode"}"#),
      command(3, "resume"), command(4, "sync_files"))
    try await bench.serve {
      await bench.pass { bench.gateway.submitted.map(\.id) == ["1"] }
      cloud.hand(command(5, "cancel"))
      await bench.pass { bench.completions.count == 3 }
      homed.open()
      await bench.pass { bench.completions.count == 5 }
    }
    #expect(bench.gateway.submitted.map(\.id) == ["1", "5", "4"])
    let told = Dictionary(
      uniqueKeysWithValues: bench.calls("complete").map {
        ($0.path, $0.json["error_message"]?.string)
      })
    for id in [2, 3] {
      #expect(
        told["/api/v1/commands/\(id)/complete"]
          == "not executed: a cancel came before its turn")
    }
  }

  @Test("An answer as long as it may be goes on in the next one, and so does the gap before it")
  func pages() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    cloud.hand((0..<20).map { command($0, "sync_files") }.joined(separator: ","))
    cloud.hand((20..<40).map { command($0, "sync_files") }.joined(separator: ","))
    cloud.hand(command(40, "start_print", #"{"filename":"a.gcode"}"#))
    try await bench.serve { await bench.pass { bench.gateway.contacts.count == 4 } }
    let isLate = bench.gateway.contacts.map { $0.isAfterGap(longerThan: .seconds(120)) }
    #expect(isLate == [true, true, true, false])
  }

  @Test("The end of the daemon answers what still waited, without executing it")
  func shutdown() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    let homed = Gate()
    bench.gateway.answer { request in
      await withTaskCancellationHandler {
        await homed.wait()
      } onCancel: {
        homed.open()
      }
      return .interrupted
    }
    cloud.hand(command(1, "homing"), command(2, "sync_files"))
    try await bench.serve { await bench.pass { !bench.gateway.submitted.isEmpty } }
    #expect(bench.gateway.submitted.map(\.id) == ["1"])
    let owed = bench.outbox.entries.map(\.item)
    #expect(owed.map(\.key) == ["1", "2"])
    #expect(owed[0].body["error_message"] == "interrupted by a restart, outcome unknown")
    #expect(
      owed[1].body["error_message"]
        == "not executed: printer-uplink was stopped before its turn")
    // The gate knows of it from now on.
    #expect(bench.gateway.refused.map(\.id) == ["2"])
  }

  @Test("A command that comes again is not executed again, and told the same")
  func again() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    let executed = Counter()
    bench.gateway.answer { _ in
      executed.increment()
      return .done()
    }
    cloud.hand(command(1, "homing", #"{"axes":["x"]}"#))
    cloud.hand(command(1, "homing", #"{"axes":["x"]}"#))
    try await bench.serve { await bench.pass { bench.completions.count == 2 } }
    #expect(executed.value == 1)
    #expect(Set(bench.completions).count == 1)
    #expect(bench.completions.first?["result"]?["axes"] == ["x"])
  }

  @Test(
    "Every other end becomes a failure with one sentence",
    arguments: [
      ("homing", CommandOutcome(.refused, .wrongState, "a job is running"), "printer is busy"),
      (
        "homing", CommandOutcome(.refused, .busy, "reach is busy with home"),
        "printer is busy: reach is busy with home"
      ),
      (
        "homing", CommandOutcome(.refused, .wrongState, "Klipper is in state shutdown"),
        "Klipper is in state shutdown"
      ),
      (
        "pause", CommandOutcome(.refused, .notPermitted, "its permissions do not hold pause"),
        "not permitted: its permissions do not hold pause"
      ),
      (
        "pause", CommandOutcome(.refused, .readOnly, "read-only is on"),
        "not permitted: read-only is on"
      ),
      ("pause", CommandOutcome(.refused, .wrongState, "no job is running"), "no job is running"),
      ("resume", CommandOutcome(.refused, .stale, ""), "too old"),
      ("pause", .interrupted, "interrupted by a restart, outcome unknown"),
      (
        "pause", CommandOutcome(.unknown, .timeout, "no answer from Klipper after 300 s"),
        "no answer from Klipper after 300 s"
      ),
      (
        "pause", CommandOutcome(.failed, .printerRefused, "No such macro", code: 400),
        "moonraker http 400: No such macro"
      ),
      ("pause", CommandOutcome(.failed, .printerRefused, "x", code: -32601), "x"),
      (
        "delete_file", CommandOutcome(.failed, .printerRefused, "gone", code: 400),
        "failed to delete file from moonraker: moonraker http 400: gone"
      ),
      (
        "delete_file", CommandOutcome(.refused, .notOwn, "the file was not brought by printdock"),
        "not permitted: the file was not brought by printdock"
      ),
      (
        "sync_files", CommandOutcome(.failed, .notConnected, "Moonraker is not connected"),
        "failed to list files from moonraker: Moonraker is not connected"
      ),
      (
        "import_history", CommandOutcome(.failed, .timeout, "no answer"),
        "failed to fetch history from moonraker: no answer"
      ),
      ("pause", CommandOutcome(.refused, .tooMany, ""), "refused: too_many"),
    ])
  func failures(action: String, outcome: CommandOutcome, text: String) async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    bench.gateway.answer { _ in outcome }
    cloud.hand(command(1, action, #"{"filename":"a.gcode"}"#))
    try await bench.serve { await bench.pass { bench.completions.count == 1 } }
    let body = try #require(bench.completions.first)
    #expect(body["status"] == "failed")
    #expect(body["error_message"]?.string == text)
    #expect(body["result"]?["post_snapshot"] == nil)
  }

  // MARK: Uploads

  @Test("An upload is decoded into a staged file and handed on")
  func upload() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    cloud.hand(
      command(
        1, "upload_file",
        #"{"filename":"sub/ä b.gcode","content":"RzI4\r\nRzEgWDE\u003d"}"#))
    try await bench.serve { await bench.pass { bench.completions.count == 1 } }
    #expect(bench.gateway.uploads.map(\.path) == ["sub/ä b.gcode"])
    #expect(bench.gateway.uploads.first?.bytes == Array("G28G1 X1".utf8))
    #expect(
      bench.completions == [
        [
          "status": "succeeded",
          "result": [
            "action": "upload_file", "filename": "sub/ä b.gcode", "size": 8,
            "post_snapshot": "captured",
          ],
        ]
      ])
  }

  @Test("Broken base64 says where, and nothing is handed on")
  func brokenUpload() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    cloud.hand(command(1, "upload_file", #"{"filename":"a.gcode","content":"RzI4!"}"#))
    try await bench.serve { await bench.pass { bench.completions.count == 1 } }
    #expect(bench.gateway.uploads.isEmpty)
    #expect(
      bench.completions == [
        [
          "status": "failed", "result": ["action": "upload_file"],
          "error_message":
            "failed to decode base64 content: illegal base64 data at input byte 4",
        ]
      ])
  }

  @Test("A large upload is never copied whole: the pieces are small")
  func largeUpload() async throws {
    let text = String(repeating: "QUJD", count: 200_000)
    let document = Array(#"[{"content":"\#(text)"}]"#.utf8)
    let slice = try #require(try JSONSlice(document: document).elements.first?["content"])
    var (largest, total) = (0, 0)
    var decoder = Base64Decoder()
    try slice.forEachPiece { piece in
      largest = max(largest, piece.count)
      total += try decoder.decode(piece).count
    }
    try decoder.finish()
    #expect(largest <= 65_536)
    #expect(total == 600_000)
  }

  // MARK: One round, and the probe

  @Test("One round executes what waits, brings its result, and then shows the printer")
  func once() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    cloud.hand(command(1, "sync_files"), command(2, "dance"))
    bench.gateway.answer { _ in .done([]) }
    let backend = try await PrintDockBackend(
      settings: PrintDockFixture.settings(), context: bench.context())
    try await backend.runOnce()
    #expect(
      bench.transport.requests.map(\.cloudCall) == [
        "heartbeat", "commands", "batch", "complete", "complete", "batch", "webcam_requests",
      ])
    #expect(bench.outbox.entries.isEmpty)
    #expect(bench.completions.first?["result"]?["count"] == 0)
  }

  @Test("The probe asks for pictures and nothing else, and says what it found")
  func probe() async throws {
    let cloud = PaperCloud()
    let bench = TestBench(cloud)
    let settings = PrintDockFixture.settings()
    let good = try await PrintDockBackend.probe(settings: settings, context: bench.context())
    #expect(good?.isHealthy == true)
    #expect(good?.summary == "PrintDock answers, and knows connector 46")
    cloud.answer("webcam_requests", 401)
    let bad = try await PrintDockBackend.probe(settings: settings, context: bench.context())
    #expect(bad?.isHealthy == false)
    #expect(bad?.summary.hasPrefix("credentials refused (401: No)") == true)
    #expect(bench.transport.requests.map(\.cloudCall) == ["webcam_requests", "webcam_requests"])
    let unpaired = TestBench(cloud.script)
    let none = try await PrintDockBackend.probe(settings: settings, context: unpaired.context())
    #expect(none?.isHealthy == false)
    #expect(unpaired.transport.requests.isEmpty)
  }

  // MARK: What is told

  @Test("An hour of printing without a camera is less than a megabyte, headers included")
  func payload() async throws {
    let bench = TestBench(PaperCloud())
    bench.printer.come(printState: "printing")
    // The recorded snapshot is as long as real ones are.
    let recorded = try #require(try PrintDockFixture.exchanges("snapshots").last)
    let status = recorded["body"]?["snapshots"]?.array?.first?["payload"]?["result"]?["status"]
    bench.printer.update { printer in
      for (name, fields) in status?.object ?? [:] { printer.objects[name] = fields.object }
    }
    try await bench.serve {
      let end = bench.time.now.advanced(by: .seconds(3_600))
      while bench.time.now < end {
        // Each of the five loops waits for its time, or for something to do.
        await bench.time.sleepers(atLeast: 5)
        bench.time.advance(to: await bench.time.nextDeadline())
      }
    }
    var bytes = 0
    for request in bench.transport.requests {
      // Request line, Host, Content-Length, Accept-Encoding; and an answer as a Rails application gives it.
      bytes += "\(request.method) \(request.path) HTTP/1.1\r\n".utf8.count + 120
      for field in request.fields { bytes += field.name.utf8.count + field.value.utf8.count + 4 }
      bytes += (request.body?.count ?? 0) + 160
    }
    #expect((1_500...1_800).contains(bench.transport.requests.count))
    #expect((500_000..<1_000_000).contains(bytes))
  }

  @Test("Everything that is told is declared, and everything declared of a message has its words")
  func sent() async throws {
    let cloud = PaperCloud()
    let bench = TestBench { request, number throws(NetworkError) in
      request.cloudCall == "register"
        ? .json(
          200,
          #"{"connector":{"id":46},"credentials":{"secret":"s"},"printers":[{"id":262}]}"#)
        : try await cloud.script(request, number)
    }
    bench.printer.come()
    bench.gateway.answer { request in
      switch request.wireName {
      case "sync_files": .done([["path": "a.gcode", "size": 1]])
      case "import_history": .done(["count": 1, "jobs": [["job_id": "1", "metadata": ["x": 1]]]])
      case "pause": CommandOutcome(.failed, .printerRefused, "no")
      default: .done()
      }
    }
    cloud.hand(
      command(1, "pause"), command(2, "sync_files"), command(3, "import_history"),
      command(4, "upload_file", #"{"filename":"a.gcode","content":"QQ=="}"#),
      command(5, "homing"), #"{"id":6,"printer_id":9,"action":"pause"}"#)
    let settings = PrintDockFixture.settings(
      token: "PAIR_1", extra: ["site_name": .string("Lab")])
    try await bench.run(PrintDockBackend(settings: settings, context: bench.context())) {
      await bench.pass { bench.completions.count == 6 && !bench.calls("batch").isEmpty }
    }
    let messages = [
      "register": "register", "heartbeat": "heartbeat", "batch": "snapshot",
      "complete": "completion",
    ]
    let declared = PrintDockBackend.descriptor.sends
    for request in bench.transport.requests {
      guard let body = request.body, let message = messages[request.cloudCall] else { continue }
      let paths = declared.filter { $0.message == message }.map(\.path)
      for leaf in try JSONValue(parsing: body).leaves {
        #expect(
          paths.contains { path in
            path == leaf || path.hasSuffix(".*") && leaf.hasPrefix(path.dropLast())
          }, "\(message) \(leaf)")
      }
    }
    #expect(Set(declared.map { "\($0.message) \($0.path)" }).count == declared.count)
    #expect(declared.allSatisfy { !$0.meaning.isEmpty })
  }
}

extension JSONValue {
  /// The paths of all that is neither object nor array of objects: `a.b[].c`.
  fileprivate var leaves: [String] {
    switch self {
    case .object(let object):
      object.flatMap { key, value in
        value.leaves.map { $0.isEmpty ? key : $0.hasPrefix("[") ? key + $0 : "\(key).\($0)" }
      }
    case .array(let elements) where elements.contains { $0.object != nil }:
      elements.flatMap { $0.leaves.map { "[].\($0)" } }
    default: [""]
    }
  }
}
