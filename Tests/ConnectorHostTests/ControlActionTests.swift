import ConnectorKit
import Foundation
import HTTPServer
import JSON
import Networking
import Platform
import Testing

@testable import ConnectorHost

/// Remembers what was asked of it and answers as told.
final class ScriptedActions: ControlActions {
  private let asked = Guarded<[String]>([])
  private let result: ControlResult

  init(_ result: ControlResult = .done("noted")) { self.result = result }

  var calls: [String] { asked.withLock { $0 } }
  func bedCleared(by person: String) async -> ControlResult {
    asked.withLock { $0.append("bed cleared by \(person)") }
    return result
  }
  func setReadOnly(_ isOn: Bool, by person: String) async -> ControlResult {
    asked.withLock { $0.append("read-only \(isOn) by \(person)") }
    return result
  }
  func wideningsSeen(through number: Int64, by person: String) async -> ControlResult {
    asked.withLock { $0.append("seen through \(number) by \(person)") }
    return result
  }
  func setEnabled(_ isOn: Bool, _ name: String, by person: String) async -> ControlResult {
    asked.withLock { $0.append("\(name) \(isOn) by \(person)") }
    return result
  }
  func reload(only file: String?, by person: String) async -> ControlResult {
    asked.withLock { $0.append("reload\(file.map { " of \($0)" } ?? "") by \(person)") }
    return result
  }
  func pair(_ name: String, code: Secret, by person: String) async -> ControlResult {
    asked.withLock { $0.append("\(name) paired with \(code.revealed) by \(person)") }
    return result
  }
  func unpair(_ name: String, by person: String) async -> ControlResult {
    asked.withLock { $0.append("\(name) unpaired by \(person)") }
    return result
  }
}

@Suite("What a person may change") struct ControlActionTests {
  private let folder: TemporaryFolder
  private let network: Network

  init() throws {
    folder = try TemporaryFolder()
    network = try Network()
  }

  private func server(
    _ actions: (any ControlActions)?, token: ControlToken? = nil, healthOnly: Bool = false
  ) throws -> ControlServer {
    try ControlServer(
      address: .init(host: "127.0.0.1", port: 0), healthOnly: healthOnly,
      token: ControlTokenHolder(token),
      actions: actions
    ) { sampleView() }
  }

  private func post(
    _ server: ControlServer, _ path: String, _ body: String = "{}", fields: [HTTPField] = []
  ) async throws -> (status: Int, body: JSONValue?) {
    let answer = try await network.client().send(
      HTTPRequest(
        "POST", "http://127.0.0.1:\(server.port)\(path)",
        fields: [HTTPField("Content-Type", "application/json")] + fields, body: Array(body.utf8)))
    return (answer.status, try? JSONValue(parsing: answer.body))
  }

  @Test("A person on this host clears the bed and switches read-only, and is named")
  func local() async throws {
    let actions = ScriptedActions()
    let server = try server(actions)
    let bed = try await post(server, "/api/bed-cleared")
    #expect(bed.status == 200)
    #expect(bed.body == ["ok": true, "message": "noted"])
    #expect(try await post(server, "/api/read-only", #"{"on":true}"#).status == 200)
    #expect(try await post(server, "/api/read-only", #" {"on" : false} "#).status == 200)
    #expect(try await post(server, "/api/widenings-seen", #"{"through":7}"#).status == 200)
    #expect(
      actions.calls == [
        "bed cleared by the page (127.0.0.1)", "read-only true by the page (127.0.0.1)",
        "read-only false by the page (127.0.0.1)", "seen through 7 by the page (127.0.0.1)",
      ])
  }

  @Test(
    "A no has its own status, and the page gets the reason",
    arguments: [
      (ControlResult.done("a"), 200), (.refused("a job runs"), 409), (.failed("disk full"), 503),
    ])
  func results(_ result: ControlResult, _ status: Int) async throws {
    let answer = try await post(try server(ScriptedActions(result)), "/api/bed-cleared")
    #expect(answer.status == status)
    #expect(answer.body?["ok"]?.bool == (status == 200))
    #expect(answer.body?["message"]?.string?.isEmpty == false)
  }

  @Test("Without a gate nothing is changed, and the visitor hears it")
  func noActions() async throws {
    #expect(try await post(try server(nil), "/api/bed-cleared").status == 503)
  }

  @Test(
    "A body that is not exactly what belongs there changes nothing",
    arguments: [
      ("/api/bed-cleared", ""), ("/api/bed-cleared", "[]"), ("/api/bed-cleared", #"{"x":1}"#),
      ("/api/read-only", "{}"), ("/api/read-only", #"{"on":"true"}"#),
      ("/api/read-only", #"{"on":1}"#), ("/api/read-only", #"{"on":true,"x":1}"#),
      ("/api/read-only", #"{"ON":true}"#), ("/api/read-only", "{\"on\":true"),
      ("/api/widenings-seen", "{}"), ("/api/widenings-seen", #"{"through":"7"}"#),
      ("/api/widenings-seen", #"{"through":1.5}"#),
      ("/api/read-only", String(repeating: "[", count: 10_000)),
    ])
  func badBody(_ path: String, _ body: String) async throws {
    let actions = ScriptedActions()
    #expect(try await post(try server(actions), path, body).status == 400)
    #expect(actions.calls.isEmpty)
  }

  @Test("Each path takes its own methods only")
  func methods() async throws {
    let actions = ScriptedActions()
    let server = try server(actions)
    for route in ControlRoute.allCases {
      let wrong = route.changes ? "GET" : "POST"
      let answer = try await network.client().send(
        HTTPRequest(
          wrong, "http://127.0.0.1:\(server.port)\(route.path)",
          fields: [HTTPField("Content-Type", "application/json")],
          body: wrong == "POST" ? Array("{}".utf8) : nil))
      #expect(answer.status == 405)
      #expect(answer[field: "Allow"] == (route.changes ? "POST" : "GET, HEAD"))
    }
    #expect(actions.calls.isEmpty)
    let health = try self.server(actions, healthOnly: true)
    #expect(try await post(health, "/api/bed-cleared").status == 405)
  }

  @Test(
    "Who comes through a proxy is not local, and without a token there is no way in",
    arguments: ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
  func proxied(_ field: String) async throws {
    let actions = ScriptedActions()
    let server = try server(actions)
    let fields = [HTTPField(field, "127.0.0.1"), HTTPField("Authorization", "Bearer x")]
    let answer = try await post(server, "/api/read-only", #"{"on":false}"#, fields: fields)
    #expect(answer.status == 403)
    #expect(answer.body?["message"]?.string?.contains("control.token_file") == true)
    #expect(actions.calls.isEmpty)
  }

  @Test("With the token somebody from elsewhere may; with anything else not")
  func token() async throws {
    let actions = ScriptedActions()
    let path = folder.path + "/control.token"
    let server = try server(actions, token: try ControlToken(file: path))
    let text = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(
      in: .whitespacesAndNewlines)
    #expect(text.count == 64)
    let proxied = HTTPField("X-Forwarded-For", "10.0.0.9")
    for wrong in [
      "", "Bearer", "Bearer ", "Bearer \(text.dropLast())", "Bearer \(text)x", "Basic \(text)",
      "\(text)", "Bearer \(text.uppercased())", "Bearer \(text) \(text)",
    ] {
      let fields = [proxied] + (wrong.isEmpty ? [] : [HTTPField("Authorization", wrong)])
      #expect(try await post(server, "/api/bed-cleared", fields: fields).status == 401)
    }
    #expect(actions.calls.isEmpty)
    for right in ["Bearer \(text)", "bearer \(text)"] {
      let fields = [proxied, HTTPField("Authorization", right)]
      #expect(try await post(server, "/api/bed-cleared", fields: fields).status == 200)
    }
    #expect(actions.calls.count == 2)
  }

  @Test("The token is made once, 0600; one that others can read or that is short is refused")
  func tokenFile() throws {
    let path = folder.path + "/sub/control.token"
    _ = try ControlToken(file: path)
    let made = try String(contentsOfFile: path, encoding: .utf8)
    #expect(
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    _ = try ControlToken(file: path)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == made)
    let open = try folder.write("open", made, mode: 0o644)
    #expect(throws: StateFailure.self) { try ControlToken(file: open) }
    let short = try folder.write("short", "abc\n")
    let failure = try #require(throws: StateFailure.self) { try ControlToken(file: short) }
    #expect(failure.description.contains("too short"))
    #expect(!failure.description.contains("abc"))
    #expect(throws: StateFailure.self) { try ControlToken(file: folder.path) }
  }

  @Test("The socket lies in the runtime directory, and a link leads there")
  func socketPlaces() throws {
    let state = folder.path + "/state/"
    try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
    let plain = ControlSocket(environment: [:], stateDirectory: state)
    #expect(plain.path == folder.path + "/state/control.sock")
    #expect(plain.clientPath == plain.path)
    let runtime = ControlSocket(
      environment: ["RUNTIME_DIRECTORY": "\(folder.path)/run:/run/other"], stateDirectory: state)
    #expect(runtime.path == folder.path + "/run/control.sock")
    try runtime.prepare()
    try runtime.prepare()
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: runtime.clientPath) == runtime.path)
    // The next start without a runtime directory has the place to itself.
    try plain.prepare()
    #expect(throws: (any Error).self) {
      try FileManager.default.destinationOfSymbolicLink(atPath: plain.clientPath)
    }
  }
}
