import Foundation
import HTTPServer
import Testing

@testable import ConnectorHost

/// Asked with Python's HTTP client, so that both ends cannot share a fault.
@Suite("The control server") struct ControlServerTests {
  private struct Answer: Decodable {
    var status: Int
    var fields: [String: String]
    var body: String
  }

  private func ask(_ port: Int, _ path: String, method: String = "GET") throws -> Answer {
    let program = """
      import http.client, json, sys
      c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
      c.request(sys.argv[3], sys.argv[2])
      r = c.getresponse()
      print(json.dumps({"status": r.status, "fields": {k.lower(): v for k, v in r.getheaders()},
        "body": r.read().decode()}))
      """
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-c", program, "\(port)", path, method]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return try JSONDecoder().decode(Answer.self, from: data)
  }

  private func server(
    healthOnly: Bool = false, _ backends: [DaemonView.Backend] = []
  ) throws -> ControlServer {
    try ControlServer(address: .init(host: "127.0.0.1", port: 0), healthOnly: healthOnly) {
      sampleView(backends: backends)
    }
  }

  @Test("The page and its parts are small, of the right type and load nothing from elsewhere")
  func page() throws {
    let server = try server()
    var size = 0
    for (path, type) in [
      ("/", "text/html"), ("/app.js", "text/javascript"), ("/style.css", "text/css"),
    ] {
      let answer = try ask(server.port, path)
      #expect(answer.status == 200)
      #expect(answer.fields["content-type"] == "\(type); charset=utf-8")
      #expect(answer.fields["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
      #expect(answer.fields["x-content-type-options"] == "nosniff")
      #expect(!answer.body.replacing("http://www.w3.org/2000/svg", with: "").contains("://"))
      size += answer.body.utf8.count
    }
    #expect(size <= 20 << 10)
  }

  @Test("The program of the page sets texts and never markup")
  func noMarkup() {
    for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
      #expect(!StatusPage.code.contains(word))
    }
    for attribute in ["onclick", "onload", "style=", "<style", "<script>"] {
      #expect(!String(decoding: StatusPage.document.body, as: UTF8.self).contains(attribute))
    }
  }

  @Test("The data are JSON, the metrics are text, HEAD works, all of it uncached")
  func data() throws {
    let server = try server([sampleBackend("a", .online)])
    let status = try ask(server.port, "/api/status")
    #expect(status.status == 200)
    #expect(status.fields["content-type"] == "application/json")
    #expect(status.fields["cache-control"] == "no-store")
    let document = try JSONSerialization.jsonObject(with: Data(status.body.utf8))
    #expect(
      (document as? [String: Any])?.keys.sorted() == [
        "backends", "printer", "program", "version",
      ])
    let metrics = try ask(server.port, "/metrics")
    #expect(metrics.fields["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
    let head = try ask(server.port, "/metrics", method: "HEAD")
    #expect(head.status == 200)
    #expect(head.body.isEmpty)
  }

  @Test("Health is OK as plain text, or 503 with the reasons")
  func health() throws {
    let well = try server()
    let answer = try ask(well.port, "/health")
    #expect(answer.status == 200)
    #expect(answer.body == "OK\n")
    #expect(answer.fields["content-type"]?.hasPrefix("text/plain") == true)
    let ill = try server([sampleBackend("reach", .parked(problem: "revoked", remedy: ""))])
    let reasons = try ask(ill.port, "/health")
    #expect(reasons.status == 503)
    #expect(reasons.body == "reach: parked: revoked\n")
  }

  @Test("What is not there is 404 and says nothing of what was asked")
  func notFound() throws {
    let server = try server()
    for path in ["/nothing", "/api", "/api/status/", "/../etc/passwd", "/health/%3Cscript%3E"] {
      let answer = try ask(server.port, path)
      #expect(answer.status == 404)
      #expect(!answer.body.contains("script>"))
      #expect(!answer.body.contains("passwd"))
    }
    #expect(try ask(server.port, "/", method: "POST").status == 405)
  }

  @Test("A listener for health serves nothing else")
  func healthOnly() throws {
    let server = try server(healthOnly: true)
    #expect(try ask(server.port, "/health").status == 200)
    for path in ["/", "/api/status", "/metrics", "/app.js", "/style.css"] {
      #expect(try ask(server.port, path).status == 404)
    }
    server.stop()
    server.stop()
  }
}
