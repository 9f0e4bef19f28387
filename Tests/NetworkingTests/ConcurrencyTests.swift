import Foundation
import Networking
import Platform
import Testing

@Suite("Much at once") struct ConcurrencyTests {
  @Test("hundreds of requests of several clients all get their own answer")
  func requests() async throws {
    let network = try Network()
    let server = LoopbackServer { peer in
      peer.serve { request in
        if request.line.hasSuffix("0 HTTP/1.1") { usleep(2_000) }
        peer.respond("200 OK", request.line)
      }
    }
    let clients = (0..<4).map { _ in network.client() }
    let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<400 {
        group.addTask {
          let request = HTTPRequest("GET", server.url("/\(number)"), timeout: .seconds(30))
          let response = try await clients[number % 4].send(request)
          return response.body == Array("GET /\(number) HTTP/1.1".utf8)
        }
      }
      return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(answers == 400)
  }

  @Test("a server that hangs delays nobody else's requests")
  func hanging() async throws {
    let network = try Network()
    let hole = LoopbackServer { peer in while !peer.read().isEmpty {} }
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond() } }
    let client = network.client()
    let stuck = (0..<20).map { _ in
      Task { try await client.send(HTTPRequest("GET", hole.url(), timeout: .seconds(60))) }
    }
    #expect(await eventually { hole.open == 20 })
    for _ in 0..<20 {
      #expect(try await client.send(HTTPRequest("GET", server.url())).status == 200)
    }
    for task in stuck { task.cancel() }
    #expect(await eventually { hole.open == 0 })
  }

  @Test("requests cancelled at any moment leave no trace")
  func cancellations() async throws {
    let network = try Network()
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond("200 OK", "x") } }
    let client = network.client()
    await withTaskGroup { group in
      for number in 0..<200 {
        group.addTask {
          let task = Task { try await client.send(HTTPRequest("GET", server.url())) }
          for _ in 0..<(number % 40) { await Task.yield() }
          task.cancel()
          _ = try? await task.value
        }
      }
    }
    #expect(try await client.send(HTTPRequest("GET", server.url())).status == 200)
    #expect(await eventually { server.open <= 2 })
  }

  @Test("every exchange is reported, with nothing secret")
  func reports() async throws {
    let network = try Network()
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond("404 Not Found") } }
    let reports = Guarded<[ExchangeReport]>([])
    let client = network.client { report in reports.withLock { $0.append(report) } }
    _ = try await client.send(HTTPRequest("POST", server.url("/a/b?token=hidden"), body: [1]))
    _ = try? await client.send(HTTPRequest("GET", "http://127.0.0.1:1/c"))
    let seen = reports.withLock { $0 }
    try #require(seen.count == 2)
    #expect(seen[0].method == "POST")
    #expect(seen[0].host == "127.0.0.1:\(server.port)")
    #expect(seen[0].path == "/a/b")
    #expect(seen[0].status == 404)
    #expect(seen[0].failure == nil)
    #expect((0..<10_000).contains(seen[0].milliseconds))
    #expect(seen[1].status == nil)
    #expect(seen[1].failure == .connect)
  }
}
