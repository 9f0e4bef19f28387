import Foundation
import Networking
import Platform
import Testing

@Suite("Keep-alive connections") struct KeepAliveTests {
  let network: Network

  init() throws { network = try Network() }

  @Test("serve one request after the other, per client")
  func reuse() async throws {
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond("200 OK", "ok") } }
    let clients = [network.client(), network.client()]
    for _ in 0..<5 {
      for client in clients {
        #expect(try await client.send(HTTPRequest("GET", server.url())).body.count == 2)
      }
    }
    #expect(server.accepted == 2)
  }

  @Test("are at most two per client once nothing runs on them")
  func limit() async throws {
    let server = LoopbackServer { peer in
      peer.serve { _ in
        usleep(20_000)
        peer.respond()
      }
    }
    let client = network.client()
    try await withThrowingTaskGroup { group in
      for _ in 0..<20 {
        group.addTask { _ = try await client.send(HTTPRequest("GET", server.url())) }
      }
      try await group.waitForAll()
    }
    #expect(server.accepted > 2)
    #expect(await eventually { server.open == 2 })
  }

  @Test("are closed when the client is not used any more")
  func idle() async throws {
    let network = try Network(keepAlive: .milliseconds(50))
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond() } }
    let client = network.client()
    _ = try await client.send(HTTPRequest("GET", server.url()))
    #expect(await eventually { server.open == 0 })
    _ = try await client.send(HTTPRequest("GET", server.url()))
    #expect(server.accepted == 2)
  }

  @Test("are closed when the client is let go")
  func release() async throws {
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond() } }
    _ = try await network.client().send(HTTPRequest("GET", server.url()))
    #expect(await eventually { server.open == 0 })
  }

  @Test("that the server has closed meanwhile are not used")
  func closedMeanwhile() async throws {
    let server = LoopbackServer { peer in
      if peer.readRequest() != nil { peer.respond() }
    }
    let client = network.client()
    for _ in 0..<3 {
      #expect(try await client.send(HTTPRequest("POST", server.url(), body: [1])).status == 200)
      #expect(await eventually { server.open == 0 })
    }
    #expect(server.accepted == 3)
  }

  @Test(
    "that break with the answer lost fail the request, which is not sent again",
    arguments: ["GET", "POST", "DELETE"])
  func lostAnswer(method: String) async throws {
    let requests = Guarded(0)
    let server = LoopbackServer { peer in
      var first = true
      peer.serve { _ in
        requests.withLock { $0 += 1 }
        if first { peer.respond() } else { peer.close() }
        first = false
      }
    }
    let client = network.client()
    let request = HTTPRequest(method, server.url(), body: method == "GET" ? nil : [1, 2, 3])
    _ = try await client.send(request)
    let error = await #expect(throws: NetworkError.self) { try await client.send(request) }
    #expect(error?.kind == .connect)
    #expect(error?.requestMayHaveArrived == true)
    #expect(error?.message == "127.0.0.1:\(server.port): the connection broke before an answer")
    #expect(requests.withLock { $0 } == 2)
    #expect(server.accepted == 1)
    #expect(try await client.send(request).status == 200)
  }
}
