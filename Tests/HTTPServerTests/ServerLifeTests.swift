import Glibc
import HTTPServer
import Platform
import TestSupport
import Testing

@Suite("The server's life and limits", .serialized) struct ServerLifeTests {
  private static let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

  private func server(_ options: HTTPServer.Options = .init()) throws -> HTTPServer {
    try HTTPServer(address: .loopback, options: options) { _ in
      HTTPServer.Response(status: 200, text: "fine")
    }
  }

  @Test("Many clients at a time all get their answers")
  func concurrentClients() async throws {
    let server = try server()
    let answers = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          let client = RawClient(port: server.port)
          return (0..<50).count { _ in
            client.send(Self.request) && client.readAnswer()?.text == "fine\n"
          }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(answers == 400)
  }

  @Test("A connection above the limit of one address is closed at once; the others go on")
  func connectionsPerAddress() throws {
    let server = try server(.init(connections: 10, connectionsPerAddress: 3))
    var clients = (0..<3).map { _ in RawClient(port: server.port) }
    for client in clients {
      client.send(Self.request)
      #expect(client.readAnswer()?.status == 200)
    }
    let refused = RawClient(port: server.port)
    refused.send(Self.request)
    #expect(refused.readToEnd().end == .closed)
    #expect(clients.last?.send(Self.request) == true)
    #expect(clients.last?.readAnswer()?.status == 200)

    // A place that becomes free is given away again.
    clients.removeLast()
    let isTaken = (0..<200).contains { _ in
      let client = RawClient(port: server.port)
      client.send(Self.request)
      return client.readAnswer()?.status == 200
    }
    #expect(isTaken)
  }

  @Test("A connection above the total is closed at once")
  func connections() throws {
    let server = try server(.init(connections: 2, connectionsPerAddress: 10))
    let clients = (0..<2).map { _ in RawClient(port: server.port) }
    for client in clients {
      client.send(Self.request)
      #expect(client.readAnswer()?.status == 200)
    }
    #expect(RawClient(port: server.port).readToEnd().end == .closed)
    #expect(clients.first?.send(Self.request) == true)
  }

  @Test("Who sends a byte now and then is closed when the time is over, bytes or no bytes")
  func slowHeader() throws {
    let server = try server(.init(timeout: .milliseconds(300)))
    let start = ContinuousClock.now
    let client = RawClient(port: server.port)
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
    while client.send("x"), ContinuousClock.now - start < .seconds(5) { usleep(20_000) }
    let duration = ContinuousClock.now - start
    #expect(duration > .milliseconds(250))
    #expect(duration < .seconds(3))
  }

  @Test("A connection that is idle after an answer is closed when the time is over")
  func idle() throws {
    let server = try server(.init(timeout: .milliseconds(300)))
    let client = RawClient(port: server.port)
    client.send(Self.request)
    #expect(client.readAnswer()?.status == 200)
    let start = ContinuousClock.now
    #expect(client.readToEnd().end == .closed)
    #expect(ContinuousClock.now - start < .seconds(3))
  }

  @Test("A busy port says so, and what to do")
  func busyPort() throws {
    let first = try server()
    let failure = try #require(throws: HTTPServer.Failure.self) {
      try HTTPServer(address: .init(host: "127.0.0.1", port: first.port)) { _ in
        HTTPServer.Response(status: 200, text: "")
      }
    }
    #expect(failure.description.contains("127.0.0.1:\(first.port)"))
    #expect(failure.description.contains("held by"))
    #expect(failure.description.contains("choose another port"))
  }

  @Test(
    "An address that cannot be is refused with a reason",
    arguments: [
      ("localhost", 0, "numeric"), ("", 0, "numeric"), ("127.0.0.1", 65_536, "0 to 65535"),
      ("127.0.0.1", -1, "0 to 65535"), ("192.0.2.1", 0, "does not have that address"),
    ])
  func badAddress(_ host: String, _ port: Int, _ reason: String) throws {
    let failure = try #require(throws: HTTPServer.Failure.self) {
      try HTTPServer(address: .init(host: host, port: port)) { _ in
        HTTPServer.Response(status: 200, text: "")
      }
    }
    #expect(failure.description.contains(reason))
  }

  @Test("It listens on IPv6, and on both families at ::")
  func listensOnIPv6() throws {
    for host in ["::1", "::"] {
      let server = try HTTPServer(address: .init(host: host, port: 0)) { request in
        HTTPServer.Response(status: 200, text: "\(request.peer) \(request.isLocal)")
      }
      let client = RawClient(port: server.port, isIPv6: true)
      client.send(Self.request)
      #expect(client.readAnswer()?.text == "::1 true\n")
      guard host == "::" else { continue }
      let mapped = RawClient(port: server.port)
      mapped.send(Self.request)
      #expect(mapped.readAnswer()?.text == "127.0.0.1 true\n")
    }
  }

  @Test("stop() closes open connections, frees the port and may be called twice")
  func stop() throws {
    let server = try server()
    let port = server.port
    let client = RawClient(port: port)
    client.send(Self.request)
    #expect(client.readAnswer()?.status == 200)
    let slow = RawClient(port: port)
    slow.send("GET / HT")
    server.stop()
    server.stop()
    #expect(client.readToEnd().end == .closed)
    #expect(slow.readToEnd().end == .closed)
    #expect(Self.openSockets(port: port) == 0)
    let again = try HTTPServer(address: .init(host: "127.0.0.1", port: port)) { _ in
      HTTPServer.Response(status: 200, text: "again")
    }
    let next = RawClient(port: again.port)
    next.send(Self.request)
    #expect(next.readAnswer()?.text == "again\n")
  }

  @Test("Neither visits nor broken requests leave a socket behind")
  func leavesNoSocket() throws {
    var server: HTTPServer? = try server(
      .init(connectionsPerAddress: 50, timeout: .milliseconds(500)))
    let port = try #require(server?.port)
    for request in [Self.request, "GET / HT", "nonsense\r\n\r\n", "POST / HTTP/1.1\r\n\r\n", ""] {
      for _ in 0..<20 {
        let client = RawClient(port: port)
        client.send(request)
        if request == Self.request { #expect(client.readAnswer()?.status == 200) }
      }
    }
    // libmicrohttpd does not notice who left in the middle of a header; the time limit ends these.
    let isClean = (0..<250).contains { _ in
      usleep(20_000)
      return Self.openSockets(port: port) == 1
    }
    #expect(isClean)
    server = nil
    #expect(Self.openSockets(port: port) == 0)
  }

  /// The sockets of this process whose own end is on `port`.
  private static func openSockets(port: Int) -> Int {
    (0..<1_024).count { descriptor in
      var address = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let result = withUnsafeMutableBytes(of: &address) {
        $0.assumingMemoryBound(to: sockaddr.self).baseAddress.map {
          getsockname(Int32(descriptor), $0, &length)
        }
      }
      return result == 0 && address.sin_family == sa_family_t(AF_INET)
        && UInt16(bigEndian: address.sin_port) == port
    }
  }
}
