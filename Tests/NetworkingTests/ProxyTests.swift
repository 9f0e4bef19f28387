import Foundation
import Networking
import Platform
import Testing

@Suite("A proxy") struct ProxyTests {
  let network: Network

  init() throws { network = try Network() }

  /// A proxy that answers plain requests itself, and for CONNECT becomes an echoing WebSocket server.
  private func proxy(_ lines: Guarded<[String]>) -> LoopbackServer {
    LoopbackServer { peer in
      while let request = peer.readRequest() {
        lines.withLock { $0.append(request.line) }
        if request.line.hasPrefix("CONNECT refused") { return peer.respond("403 Forbidden") }
        guard request.line.hasPrefix("CONNECT") else {
          peer.respond("200 OK", "by proxy")
          continue
        }
        peer.send("HTTP/1.1 200 Connected\r\nX-Proxy: 1\r\n\r\n")
        if peer.upgrade() != nil { peer.echo() }
        return
      }
    }
  }

  @Test("carries requests to hosts elsewhere")
  func forward() async throws {
    let lines = Guarded<[String]>([])
    let proxy = proxy(lines)
    let client = network.client(settings: NetworkSettings(proxy: proxy.url()))
    let response = try await client.send(HTTPRequest("GET", "http://cloud.test/x?y=1"))
    #expect(response.body == Array("by proxy".utf8))
    #expect(lines.withLock { $0 } == ["GET http://cloud.test/x?y=1 HTTP/1.1"])
  }

  @Test(
    "is not asked for loopback hosts",
    arguments: ["127.0.0.1", "localhost", "127.0.0.2"])
  func loopback(host: String) async throws {
    let lines = Guarded<[String]>([])
    let proxy = proxy(lines)
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond("200 OK", "direct") } }
    let client = network.client(settings: NetworkSettings(proxy: proxy.url()))
    // The server listens on 127.0.0.1 only; for 127.0.0.2 the refusal shows that nobody was asked.
    let response = try? await client.send(HTTPRequest("GET", "http://\(host):\(server.port)/"))
    #expect(response?.body == (host == "127.0.0.2" ? nil : Array("direct".utf8)))
    #expect(lines.withLock { $0 } == [])
  }

  @Test("gives way to a tunnel for WebSockets")
  func webSocket() async throws {
    let lines = Guarded<[String]>([])
    let proxy = proxy(lines)
    let connection = try await network.webSocket(
      "ws://cloud.test/socket", settings: NetworkSettings(proxy: proxy.url()))
    try await connection.send(Array("hello".utf8))
    #expect(try await connection.receive() == Array("hello".utf8))
    #expect(lines.withLock { $0 } == ["CONNECT cloud.test:80 HTTP/1.1"])
  }

  @Test("that refuses, is not there or has no name fails the exchange")
  func faults() async throws {
    let proxy = proxy(Guarded([]))
    let gone = LoopbackServer { _ in }.url()
    for (url, settings, kind) in [
      ("https://refused.test/", proxy.url(), NetworkError.Kind.connect),
      ("http://cloud.test/", gone, .connect),
      ("http://cloud.test/", "http://nothing.invalid:3128", .nameLookup),
    ] {
      let error = await #expect(throws: NetworkError.self) {
        try await network.client(settings: NetworkSettings(proxy: settings))
          .send(HTTPRequest("GET", url))
      }
      #expect(error?.kind == kind, "\(error!)")
      #expect(error?.requestMayHaveArrived == false)
    }
    let error = await #expect(throws: NetworkError.self) {
      _ = try await network.webSocket(
        "ws://refused.test/", settings: NetworkSettings(proxy: proxy.url()))
    }
    #expect(error?.message == "refused.test:80: the proxy answered 403")
  }

  @Test("keeps its password out of errors")
  func secret() async throws {
    for proxy in [
      "http://user:hidden@127.0.0.1:1", "gopher://user:hidden@127.0.0.1:1",
      "http://user:hidden@[::",
    ] {
      let error = await #expect(throws: NetworkError.self) {
        try await network.client(settings: NetworkSettings(proxy: proxy))
          .send(HTTPRequest("GET", "http://cloud.test/"))
      }
      #expect(error?.message.contains("hidden") == false, "\(error!)")
    }
  }
}
