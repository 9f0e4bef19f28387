import ConnectorKit
import HTTPServer
import Networking
import Platform
import Testing

@testable import ConnectorHost

@Suite("Pages of backends") struct BackendPagesTests {
  private func answer(_ text: String) -> PageService.Handler {
    { request in
      PageResponse(
        status: 200, type: "text/plain",
        body: Array("\(text) \(request.method) \(request.mayChange) \(request.isForm)".utf8))
    }
  }

  @Test(
    "The first entry has the path, the other one answers to its name, and both go with the file")
  func two() async {
    let pages = BackendPages()
    pages.serve("a", ["/x/"], answer("a"))
    pages.serve("b", ["/x/"], answer("b"))
    func who(_ path: String, _ backend: String? = nil) async -> String? {
      let request = PageRequest(method: "GET", path: path, mayChange: false, visitor: "")
      let answer = await pages.handler(at: path, backend: backend)?(request)
      return answer.map { String(decoding: $0.body.prefix(1), as: UTF8.self) }
    }
    #expect(await who("/x/") == "a")
    #expect(await who("/x/y", "b") == "b")
    #expect(await who("/x") == nil)
    #expect(await who("/x/", "c") == nil)
    pages.serve("a", ["/x/"], answer("c"))
    #expect(await who("/x/") == "c", "made anew, it keeps its place")
    pages.keep(["b"])
    #expect(await who("/x/") == "b")
  }

  @Test("The host judges who may change something, and takes forms for pages only")
  func judged() async throws {
    let pages = BackendPages()
    pages.serve("a", ["/x/"], answer("a"))
    let server = try ControlServer(
      address: .init(host: "127.0.0.1", port: 0), actions: ScriptedActions(), pages: pages
    ) { sampleView() }
    defer { server.stop() }
    let network = try Network()
    defer { network.shutdown() }
    func ask(
      _ method: String, _ path: String, type: String? = nil, _ fields: [HTTPField] = []
    ) async throws -> (Int, String) {
      let answer = try await network.client().send(
        HTTPRequest(
          method, "http://127.0.0.1:\(server.port)\(path)",
          fields: fields + (type.map { [HTTPField("Content-Type", $0)] } ?? []),
          body: method == "POST" ? Array("{}".utf8) : nil))
      return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }
    let form = "application/x-www-form-urlencoded"
    let proxied = HTTPField("X-Forwarded-For", "192.0.2.1")
    #expect(try await ask("GET", "/x/") == (200, "a GET true false"))
    #expect(try await ask("GET", "/x/", [proxied]) == (200, "a GET false false"))
    #expect(try await ask("POST", "/x/", type: "application/json") == (200, "a POST true false"))
    #expect(try await ask("POST", "/x/", type: form) == (200, "a POST true true"))
    #expect(try await ask("POST", "/x/", type: "application/json", [proxied]).0 == 403)
    let foreign = HTTPField("Origin", "http://evil.test")
    #expect(try await ask("POST", "/x/", type: form, [foreign]).0 == 403)
    #expect(try await ask("POST", "/api/bed-cleared", type: form).0 == 415)
    #expect(try await ask("GET", "/y/").0 == 404)
  }
}
