import Foundation
import Networking
import Platform
import Testing

@Suite("HTTP over a Unix socket") struct HTTPOverUnixSocketTests {
  let network: Network
  let folder: TemporaryFolder

  init() throws {
    network = try Network()
    folder = try TemporaryFolder()
  }

  private func request(_ method: String, _ url: String, at path: String) -> HTTPRequest {
    var request = HTTPRequest(method, url, body: method == "POST" ? [1, 2, 3] : nil)
    request.unixSocket = path
    return request
  }

  @Test(
    "reaches the server there, whatever the URL's host and a proxy", arguments: ["GET", "POST"])
  func reaches(method: String) async throws {
    let seen = Guarded<[WireRequest]>([])
    let path = folder("control.sock")
    let server = LoopbackServer(path: path) { peer in
      peer.serve { request in
        seen.withLock { $0.append(request) }
        peer.respond("200 OK", "here")
      }
    }
    let client = network.client(settings: NetworkSettings(proxy: "http://127.0.0.1:1"))
    for url in ["http://localhost/status", "http://daemon.test/status"] {
      for _ in 0..<2 {
        let response = try await client.send(request(method, url, at: path))
        #expect(response.body == Array("here".utf8))
      }
    }
    let requests = seen.withLock { $0 }
    #expect(requests.map(\.line) == Array(repeating: "\(method) /status HTTP/1.1", count: 4))
    #expect(requests.last?.field("Host") == "daemon.test")
    #expect(server.accepted == 2)
  }

  @Test("is another connection than that to the same host by TCP")
  func apart() async throws {
    let path = folder("control.sock")
    let socket = LoopbackServer(path: path) { peer in
      peer.serve { _ in peer.respond("200 OK", "socket") }
    }
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond("200 OK", "port") } }
    let client = network.client()
    for _ in 0..<2 {
      let viaPort = try await client.send(HTTPRequest("GET", server.url()))
      #expect(viaPort.body == Array("port".utf8))
      let viaSocket = try await client.send(request("GET", server.url(), at: path))
      #expect(viaSocket.body == Array("socket".utf8))
    }
    #expect(server.accepted == 1 && socket.accepted == 1)
  }

  @Test("fails where nobody listens")
  func absent() async throws {
    let error = await #expect(throws: NetworkError.self) {
      try await network.client().send(request("GET", "http://localhost/", at: folder("none.sock")))
    }
    #expect(error?.kind == .connect, "\(error!)")
    #expect(error?.requestMayHaveArrived == false)
  }

  @Test(
    "fails at a path that no socket can have",
    arguments: ["", "/a\0b", "/" + String(repeating: "x", count: 107)])
  func badPath(path: String) async throws {
    let error = await #expect(throws: NetworkError.self) {
      try await network.client().send(request("GET", "http://localhost/", at: path))
    }
    #expect(error?.kind == .badURL)
  }
}
