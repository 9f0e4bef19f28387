import Foundation
import HTTPServer
import Networking
import Testing

@testable import ConnectorHost

@Suite("The control server") struct ControlServerTests {
  private let network: Network

  init() throws { network = try Network() }

  private func ask(
    _ server: ControlServer, _ path: String, method: String = "GET"
  ) async throws -> HTTPResponse {
    try await network.client().send(
      HTTPRequest(method, "http://127.0.0.1:\(server.port)\(path)"))
  }

  private func text(_ answer: HTTPResponse) -> String {
    String(decoding: answer.body, as: UTF8.self)
  }

  private func server(
    healthOnly: Bool = false, _ backends: [DaemonView.Backend] = []
  ) throws -> ControlServer {
    try ControlServer(address: .init(host: "127.0.0.1", port: 0), healthOnly: healthOnly) {
      sampleView(backends: backends)
    }
  }

  @Test("The page and its parts are small, of the right type and load nothing from elsewhere")
  func page() async throws {
    let server = try server()
    var size = 0
    for (path, type) in [
      ("/", "text/html"), ("/app.js", "text/javascript"), ("/style.css", "text/css"),
    ] {
      let answer = try await ask(server, path)
      #expect(answer.status == 200)
      #expect(answer[field: "content-type"] == "\(type); charset=utf-8")
      #expect(answer[field: "content-security-policy"]?.hasPrefix("default-src 'none'") == true)
      #expect(answer[field: "x-content-type-options"] == "nosniff")
      #expect(!text(answer).replacing("http://www.w3.org/2000/svg", with: "").contains("://"))
      size += answer.body.count
    }
    #expect(size <= 150_000)
  }

  @Test("The program of the page sets texts and never markup")
  func noMarkup() {
    for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
      #expect(!DashboardPage.code.contains(word))
    }
    for attribute in ["onclick", "onload", "style=", "<style", "<script>"] {
      #expect(!String(decoding: DashboardPage.document.body, as: UTF8.self).contains(attribute))
    }
  }

  @Test("The data are JSON, the metrics are text, HEAD works, all of it uncached")
  func data() async throws {
    let server = try server([sampleBackend("a", .online)])
    let status = try await ask(server, "/api/status")
    #expect(status.status == 200)
    #expect(status[field: "content-type"] == "application/json")
    #expect(status[field: "cache-control"] == "no-store")
    let document = try JSONSerialization.jsonObject(with: Data(status.body))
    #expect(
      (document as? [String: Any])?.keys.sorted() == [
        "backends", "commands", "printer", "program", "version", "widened",
      ])
    let metrics = try await ask(server, "/metrics")
    #expect(metrics[field: "content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
    let head = try await ask(server, "/metrics", method: "HEAD")
    #expect(head.status == 200)
    #expect(head.body.isEmpty)
  }

  @Test("Health is OK as plain text, or 503 with the reasons")
  func health() async throws {
    let well = try server()
    let answer = try await ask(well, "/health")
    #expect(answer.status == 200)
    #expect(text(answer) == "OK")
    #expect(answer[field: "content-type"]?.hasPrefix("text/plain") == true)
    let ill = try server([sampleBackend("reach", .parked(problem: "revoked", remedy: ""))])
    let reasons = try await ask(ill, "/health")
    #expect(reasons.status == 503)
    #expect(text(reasons) == "reach: parked: revoked")
  }

  @Test("What is not there is 404 and says nothing of what was asked")
  func notFound() async throws {
    let server = try server()
    for path in ["/nothing", "/api", "/api/status/", "/etc/passwd", "/health/%3Cscript%3E"] {
      let answer = try await ask(server, path)
      #expect(answer.status == 404)
      #expect(!text(answer).contains("script>"))
      #expect(!text(answer).contains("passwd"))
    }
    #expect(try await ask(server, "/", method: "POST").status == 415)
  }

  @Test("A listener for health serves nothing else")
  func healthOnly() async throws {
    let server = try server(healthOnly: true)
    #expect(try await ask(server, "/health").status == 200)
    for path in ["/", "/api/status", "/metrics", "/app.js", "/style.css"] {
      #expect(try await ask(server, path).status == 404)
    }
    server.stop()
    server.stop()
  }
}
