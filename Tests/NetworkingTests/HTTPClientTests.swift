import Networking
import Platform
import Testing

@Suite("An HTTP client") struct HTTPClientTests {
  let network: Network
  let client: any HTTPTransport

  init() throws {
    network = try Network()
    client = network.client()
  }

  @Test("sends exactly the request that it was given")
  func request() async throws {
    let seen = Guarded<WireRequest?>(nil)
    let server = LoopbackServer { peer in
      peer.serve { request in
        seen.withLock { $0 = request }
        peer.respond("201 Created", fields: ["X-Twice: a", "X-Twice: b"], "done")
      }
    }
    let response = try await client.send(
      HTTPRequest(
        "POST", server.url("/a%20b?q=1"),
        fields: [HTTPField("Content-Type", "application/json"), HTTPField("X-Empty", "")],
        body: Array("{}".utf8)))
    #expect(response.status == 201)
    #expect(response.body == Array("done".utf8))
    #expect(response.fields.filter { $0.name == "X-Twice" }.map(\.value) == ["a", "b"])
    #expect(response[field: "x-twice"] == "a")
    let request = try #require(seen.withLock { $0 })
    #expect(request.line == "POST /a%20b?q=1 HTTP/1.1")
    #expect(
      request.fields.sorted() == [
        "Content-Length: 2", "Content-Type: application/json", "Host: 127.0.0.1:\(server.port)",
        "X-Empty:",
      ])
    #expect(request.body == Array("{}".utf8))
  }

  @Test(
    "sends each method with, without and with an empty body",
    arguments: ["GET", "POST", "PUT", "PATCH", "DELETE"], [nil, 0, 3, 300_000])
  func methods(method: String, size: Int?) async throws {
    let seen = Guarded<[WireRequest]>([])
    let server = LoopbackServer { peer in
      peer.serve { request in
        seen.withLock { $0.append(request) }
        peer.respond()
      }
    }
    let body = size.map { [UInt8](repeating: 0x78, count: $0) }
    let response = try await client.send(HTTPRequest(method, server.url("/x"), body: body))
    #expect(response.status == 200)
    let request = try #require(seen.withLock { $0.first })
    #expect(request.line == "\(method) /x HTTP/1.1")
    #expect(request.field("Content-Length") == size.map(String.init))
    #expect(request.body.count == size ?? 0)
    #expect(request.field("Transfer-Encoding") == nil)
    #expect(request.field("Content-Type") == nil)
    #expect(request.field("Expect") == nil)
  }
}
