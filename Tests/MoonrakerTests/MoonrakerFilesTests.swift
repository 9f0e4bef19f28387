import ConnectorKit
import JSON
import Moonraker
import Networking
import TestSupport
import Testing

@Suite("Moonraker's files") struct MoonrakerFilesTests {
  let caller = ScriptedCaller()
  let created = HTTPResponse.json(
    201, #"{"action":"create_file","item":{"path":"a b/ä.gcode","root":"gcodes","size":7}}"#)

  func files(
    _ transport: any HTTPTransport = ScriptedTransport { _, _ throws(NetworkError) in
      throw NetworkError(.other, "unexpected")
    }, _ settings: MoonrakerSettings = MoonrakerSettings(address: .http("http://printer:7125"))
  ) -> MoonrakerFiles {
    MoonrakerFiles(caller: caller, settings: settings, transport: transport)
  }

  func path(_ text: String) throws -> GCodePath { try #require(GCodePath(text)) }

  /// A file whose bytes nobody reads here.
  var staged: StagedFile {
    StagedFile(path: "/nonexistent/staged", size: 7, sha256: String(repeating: "ab", count: 32))
  }

  @Test("an upload streams the file behind its text fields") func upload() async throws {
    let created = created
    let transport = ScriptedTransport { _, _ in created }
    let settings = MoonrakerSettings(
      address: .http("https://printer/prefix/"), apiKey: Secret("0123456789abcdef"))
    let item = try await files(transport, settings).upload(staged, as: path("a b/\"ä\" 50%.gcode"))
    #expect(item["path"] == "a b/ä.gcode")
    let request = try #require(transport.requests.first)
    #expect(transport.requests.count == 1)
    #expect(request.method == "POST")
    #expect(request.url == "https://printer/prefix/server/files/upload")
    #expect(request[field: "X-Api-Key"] == "0123456789abcdef")
    #expect(request.stallTimeout == .seconds(30))
    #expect(request.body == nil)
    let body = try #require(request.bodyFile)
    #expect(body.path == "/nonexistent/staged")
    #expect(body.size == 7)
    let type = try #require(request[field: "Content-Type"])
    let marker = "multipart/form-data; boundary="
    #expect(type.hasPrefix(marker))
    let boundary = type.dropFirst(marker.count)
    let prefix = String(decoding: body.prefix, as: UTF8.self)
    #expect(
      prefix == """
        --\(boundary)\r
        Content-Disposition: form-data; name="root"\r
        \r
        gcodes\r
        --\(boundary)\r
        Content-Disposition: form-data; name="path"\r
        \r
        a b\r
        --\(boundary)\r
        Content-Disposition: form-data; name="checksum"\r
        \r
        \(String(repeating: "ab", count: 32))\r
        --\(boundary)\r
        Content-Disposition: form-data; name="file"; filename="\\"ä\\" 50%.gcode"\r
        Content-Type: application/octet-stream\r
        \r

        """)
    #expect(String(decoding: body.suffix, as: UTF8.self) == "\r\n--\(boundary)--\r\n")
  }

  @Test("One upload goes after the other, in their order; one that is given up makes room")
  func oneAtATime() async throws {
    let (answers, answer) = AsyncStream.makeStream(of: Void.self)
    let transport = ScriptedTransport { _, _ in
      for await _ in answers { break }
      return HTTPResponse(status: 201, body: Array(#"{"item":{"path":"a"}}"#.utf8))
    }
    let files = files(transport)
    let file = staged
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { _ = try await files.upload(file, as: try path("1.gcode")) }
      _ = try await transport.requests(atLeast: 1)
      let given = Task { try await files.upload(file, as: try path("2.gcode")) }
      given.cancel()
      await #expect(throws: CommandFailure.self) { try await given.value }
      group.addTask { _ = try await files.upload(file, as: try path("3.gcode")) }
      #expect(transport.requests.count == 1)
      answer.yield()
      _ = try await transport.requests(atLeast: 2)
      answer.yield()
      try await group.waitForAll()
    }
    let names = transport.requests.map {
      String(decoding: $0.bodyFile?.prefix ?? [], as: UTF8.self)
    }
    #expect(names.count == 2 && names[0].contains("1.gcode") && names[1].contains("3.gcode"))
  }

  @Test("two forms have two boundaries") func boundaries() {
    #expect(MultipartForm.randomBoundary() != MultipartForm.randomBoundary())
  }

  @Test("a name that Moonraker would strip is not sent", arguments: [" a.gcode", "x/a.gcode "])
  func strippedName(name: String) async throws {
    let transport = ScriptedTransport { _, _ throws(NetworkError) in
      throw NetworkError(.other, "unexpected")
    }
    let path = try path(name)
    await #expect(throws: CommandFailure.self) {
      _ = try await files(transport).upload(staged, as: path)
    }
    #expect(transport.requests.isEmpty)
  }

  @Test(
    "a refused upload is told with Moonraker's status and words",
    arguments: [
      (401, "Unauthorized", CommandOutcome.Reason.printerRefused, "API key"),
      (403, "Forbidden", .printerRefused, "replaced"),
      (403, "File is loaded, upload not permitted", .printerRefused, "File is loaded"),
      (400, "Cannot write to path: /home/pi/x", .printerRefused, "Cannot write to path: x"),
      (413, "", .transfer, "max_upload_size"),
      (422, "File checksum mismatch", .transfer, "File checksum mismatch"),
      (500, "Traceback (most recent call last):\nOSError: No space", .transfer, "OSError"),
      (302, "", .transfer, "could not store"),
    ])
  func refusedUpload(
    status: Int, said: String, reason: CommandOutcome.Reason, told: String
  ) async throws {
    let body: JSONValue = ["error": ["code": .integer(status), "message": .string(said)]]
    let transport = ScriptedTransport { _, _ in
      HTTPResponse(status: status, body: body.serialized())
    }
    let path = try path("a.gcode")
    do throws(CommandFailure) {
      _ = try await files(transport).upload(staged, as: path)
      Issue.record("it was taken")
    } catch {
      #expect(error.reason == reason)
      #expect(error.code == status)
      #expect(error.message.contains(told))
      #expect(!error.message.contains("/home"))
    }
    #expect(transport.requests.count == 1)
  }

  @Test("the reason is taken from the end of Moonraker's trace, where its message has none")
  func traced() async throws {
    let transport = ScriptedTransport { _, _ throws(NetworkError) in
      let trace =
        "Traceback (most recent call last):\n\n  File \"/home/pi/x.py\", line 1\n\n"
        + "tornado.web.HTTPError: HTTP 400: Bad Request (Cannot write to path: /home/pi/x (1))\n"
      let body: JSONValue = [
        "error": ["code": 400, "message": "Bad Request", "traceback": .string(trace)]
      ]
      return HTTPResponse(status: 400, body: body.serialized())
    }
    let path = try path("a.gcode")
    await #expect(
      throws: CommandFailure(.printerRefused, "Cannot write to path: x (1)", code: 400)
    ) { _ = try await files(transport).upload(staged, as: path) }
  }

  @Test(
    "a broken upload says whether it may have arrived",
    arguments: [
      (NetworkError.Kind.connect, false, CommandOutcome.Reason.notConnected),
      (.timeout, true, .timeout), (.cancelled, true, .interrupted), (.closed, true, .transfer),
    ])
  func brokenUpload(
    kind: NetworkError.Kind, mayHaveArrived: Bool, reason: CommandOutcome.Reason
  ) async throws {
    let transport = ScriptedTransport { _, _ throws(NetworkError) in
      throw NetworkError(kind, "broke", requestMayHaveArrived: mayHaveArrived)
    }
    let path = try path("a.gcode")
    do throws(CommandFailure) {
      _ = try await files(transport).upload(staged, as: path)
      Issue.record("it was taken")
    } catch {
      #expect(error.reason == reason)
      #expect(error.mayHaveHappened == mayHaveArrived)
    }
  }

  @Test("an answer without the file is no success") func noItem() async throws {
    let transport = ScriptedTransport { _, _ in .json(201, "[]") }
    let path = try path("a.gcode")
    await #expect(
      throws: CommandFailure(
        .transfer, "Moonraker took the file but does not say where", mayHaveHappened: true,
        code: 201)
    ) { _ = try await files(transport).upload(staged, as: path) }
  }

  @Test("behind a Unix socket, bytes go where the setting or Moonraker's configuration says")
  func unixSocket() async throws {
    let created = created
    let transport = ScriptedTransport { _, _ in created }
    var settings = MoonrakerSettings(address: .unixSocket("/x"))
    caller.answer(
      "server.config",
      .success(["config": ["server": ["host": "0.0.0.0", "port": 7130, "route_prefix": "/p/"]]]))
    _ = try await files(transport, settings).upload(staged, as: path("a.gcode"))
    settings.httpAddress = "http://127.0.0.1:80/"
    _ = try await files(transport, settings).upload(staged, as: path("a.gcode"))
    #expect(
      transport.requests.map(\.url) == [
        "http://127.0.0.1:7130/p/server/files/upload",
        "http://127.0.0.1:80/server/files/upload",
      ])
    #expect(caller.calls.map(\.method) == ["server.config"])
  }

  @Test(
    "the address in Moonraker's configuration is read in all its forms",
    arguments: [
      (nil, "http://127.0.0.1:7125"), (["port": "7126"], "http://127.0.0.1:7126"),
      (["host": "all"], "http://127.0.0.1:7125"), (["host": "::"], "http://127.0.0.1:7125"),
      (["host": "fd00::7", "port": 80], "http://[fd00::7]:80"),
      (["host": "10.0.0.9", "route_prefix": "a/b"], "http://10.0.0.9:7125/a/b"),
      ("nonsense", "http://127.0.0.1:7125"),
    ] as [(JSONValue?, String)])
  func localBase(server: JSONValue?, expected: String) {
    #expect(MoonrakerFiles.localBase(server) == expected)
  }

  @Test("a file's state is that of its own folder's list, metadata or not") func state()
    async throws
  {
    caller.answer(
      "server.files.get_directory",
      .success([
        "dirs": [["dirname": "b.gcode", "size": 4_096, "modified": 1]],
        "files": [
          ["filename": "a.txt", "size": 12, "modified": 1_700_000_000.25, "permissions": "rw"],
          ["filename": "broken", "size": "?"],
        ],
      ]))
    let files = files()
    let found = try #require(try await files.state(of: path("sub/x/a.txt")))
    #expect(found.size == 12)
    #expect(found.modified == 1_700_000_000.25)
    #expect(caller.calls.last?.params == ["path": "gcodes/sub/x"])
    #expect(try await files.state(of: path("b.gcode")) == nil)
    #expect(caller.calls.last?.params == ["path": "gcodes"])
    #expect(try await files.state(of: path("broken")) == nil)
  }

  @Test("a file in a folder that is not there is not there; other errors are errors")
  func missingFolder() async throws {
    caller.answer(
      "server.files.get_directory",
      .failure(.refused(code: 400, message: "Directory does not exist (/home/pi/gcodes/x)")))
    #expect(try await files().state(of: path("x/a.gcode")) == nil)
    caller.answer(
      "server.files.get_directory", .failure(.refused(code: 403, message: "Access denied")))
    let path = try path("x/a.gcode")
    await #expect(throws: CommandFailure(.printerRefused, "Access denied", code: 403)) {
      _ = try await files().state(of: path)
    }
    caller.answer("server.files.get_directory", .failure(.notSent("away")))
    await #expect(throws: CommandFailure.self) { _ = try await files().state(of: path) }
  }

  @Test("the queue's files are known, and none where there is no queue") func queue() async throws {
    #expect(try await files().queued() == [])
    caller.answer(
      "server.job_queue.status",
      .success(["queued_jobs": [["filename": "a.gcode"], ["job_id": "1"], ["filename": "b/c.g"]]]))
    #expect(try await files().queued() == ["a.gcode", "b/c.g"])
    caller.answer("server.job_queue.status", .failure(.timedOut))
    await #expect(throws: CommandFailure.self) { _ = try await files().queued() }
  }

  @Test("roots are those with an absolute path") func roots() async throws {
    caller.answer(
      "server.files.roots",
      .success([
        ["name": "config", "path": "/home/pi/printer_data/config", "permissions": "rw"],
        ["name": "relative", "path": "x"], ["path": "/y"], 5,
      ]))
    let roots = try await files().roots()
    #expect(roots.map(\.name) == ["config"])
    #expect(roots.first?.path == "/home/pi/printer_data/config")
    #expect(roots.first?.permissions == "rw")
  }

  @Test(
    "who is on this host is told by the address",
    arguments: [
      ("unix:/x", true), ("http://127.0.0.1:7125", true), ("http://localhost", true),
      ("http://10.0.0.9:7125", false),
    ])
  func isLocal(address: String, isLocal: Bool) throws {
    let address = try #require(MoonrakerAddress(address))
    let unused = ScriptedTransport { _, _ throws(NetworkError) in
      throw NetworkError(.other, "unexpected")
    }
    #expect(files(unused, MoonrakerSettings(address: address)).isLocal == isLocal)
  }
}
