import HTTPServer
import Platform
import TestSupport
import Testing

@Suite("Requests that change something") struct PostTests {
  private func echo(_ options: HTTPServer.Options = .init(acceptsPost: true)) throws -> HTTPServer {
    try HTTPServer(address: .loopback, options: options) { request in
      HTTPServer.Response(
        status: 200, text: "\(request.method) \(String(decoding: request.body, as: UTF8.self))")
    }
  }

  private func post(
    _ server: HTTPServer, _ body: String = "{}", fields: String = "",
    type: String = "application/json", host: String = "localhost:7180"
  ) throws -> RawAnswer {
    let client = RawClient(port: server.port)
    client.send(
      "POST / HTTP/1.1\r\nHost: \(host)\r\nContent-Type: \(type)\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)")
    return try #require(client.readAnswer())
  }

  @Test("The handler gets the body whole, in however many pieces it comes")
  func wholeBody() throws {
    let server = try echo()
    #expect(try post(server, "{\"a\":1}").text == "POST {\"a\":1}\n")
    #expect(try post(server, "", type: "Application/JSON; charset=utf-8").text == "POST \n")
    let client = RawClient(port: server.port)
    let long = String(repeating: "x", count: 60_000)
    client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        + "Content-Length: 60000\r\n\r\n")
    for piece in 0..<60 { client.send(String(repeating: "x", count: piece < 60 ? 1_000 : 0)) }
    #expect(try #require(client.readAnswer()).text == "POST \(long)\n")
  }

  @Test("A body of a GET is still thrown away")
  func bodyOfGet() throws {
    let server = try echo()
    let client = RawClient(port: server.port)
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
    #expect(client.readAnswer()?.text == "GET \n")
  }

  @Test(
    "Only JSON is taken, so that no plain form of a stranger's page can do it",
    arguments: [
      "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
      "application/jsonx", "text/plain, application/json",
    ])
  func contentType(_ type: String) throws {
    let server = try echo()
    #expect(try post(server, type: type).status == 415)
  }

  @Test("Two content types, or none, are refused")
  func contentTypes() throws {
    let server = try echo()
    #expect(try post(server, fields: "Content-Type: application/json\r\n").status == 415)
    let client = RawClient(port: server.port)
    client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
    #expect(client.readAnswer()?.status == 415)
  }

  @Test(
    "What a browser says of where a request comes from must be us",
    arguments: [
      ("", 200), ("Origin: http://localhost:7180\r\n", 200),
      ("Origin: https://LOCALHOST:7180\r\n", 200), ("Sec-Fetch-Site: same-origin\r\n", 200),
      ("Sec-Fetch-Site: none\r\n", 200), ("Origin: http://evil.example\r\n", 403),
      ("Origin: null\r\n", 403), ("Origin: http://localhost:7181\r\n", 403),
      ("Origin: http://localhost\r\n", 403), ("Origin: \r\n", 403),
      ("Origin: http://localhost:7180.evil.example\r\n", 403),
      ("Sec-Fetch-Site: cross-site\r\n", 403), ("Sec-Fetch-Site: same-site\r\n", 403),
      ("Origin: http://localhost:7180\r\nSec-Fetch-Site: cross-site\r\n", 403),
      ("Origin: http://localhost:7180\r\nOrigin: http://evil.example\r\n", 403),
    ])
  func origin(_ fields: String, _ status: Int) throws {
    let server = try echo()
    #expect(try post(server, fields: fields).status == status)
  }

  @Test("A foreign name is refused with the right origin too")
  func rebinding() throws {
    let server = try echo()
    let fields = "Origin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\n"
    #expect(try post(server, fields: fields, host: "evil.example").status == 421)
  }

  @Test("A body beyond the limit is refused before it is sent, and so is one of unknown length")
  func limits() throws {
    let server = try echo(.init(acceptsPost: true, postBytes: 100))
    #expect(try post(server, String(repeating: "x", count: 100)).status == 200)
    let large = RawClient(port: server.port)
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    large.send(head + "Content-Length: 101\r\n\r\n")
    #expect(large.readAnswer()?.status == 413)
    let chunked = RawClient(port: server.port)
    chunked.send(head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    #expect(chunked.readAnswer()?.status == 411)
    let both = RawClient(port: server.port)
    both.send(head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}")
    #expect(both.readAnswer()?.status == 400)
  }

  @Test("A body that never comes is given up when the time is over, and the handler is not asked")
  func slowBody() throws {
    let asked = Guarded(0)
    let options = HTTPServer.Options(acceptsPost: true, timeout: .milliseconds(300))
    let server = try HTTPServer(address: .loopback, options: options) { _ in
      asked.withLock { $0 += 1 }
      return HTTPServer.Response(status: 200, text: "")
    }
    let client = RawClient(port: server.port)
    client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        + "Content-Length: 10\r\n\r\n{")
    #expect(client.readToEnd().end == .closed)
    #expect(asked.withLock { $0 } == 0)
  }

  @Test("An answer that takes its time holds up nobody else")
  func later() async throws {
    let (signal, continuation) = AsyncStream<Void>.makeStream()
    let server = try HTTPServer(address: .loopback) { request -> HTTPServer.Reply in
      guard request.path == "/slow" else { return .now(.init(status: 200, text: "quick")) }
      return .later {
        for await _ in signal { break }
        return .init(status: 200, text: "slow")
      }
    }
    let slow = RawClient(port: server.port)
    slow.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let quick = RawClient(port: server.port)
    quick.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(await quick.laterAnswer()?.text == "quick\n")
    continuation.yield()
    #expect(await slow.laterAnswer()?.text == "slow\n")
    slow.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(await slow.laterAnswer()?.text == "quick\n")
  }

  @Test("A server that stops lets nobody wait, and an answer that comes after that harms nothing")
  func stopWhileWaiting() async throws {
    let (signal, continuation) = AsyncStream<Void>.makeStream()
    let (ended, end) = AsyncStream<Void>.makeStream()
    let (asked, ask) = AsyncStream<Void>.makeStream()
    let server = try HTTPServer(address: .loopback) { _ -> HTTPServer.Reply in
      .later {
        ask.yield()
        for await _ in signal { break }
        end.yield()
        return .init(status: 200, text: "late")
      }
    }
    let client = RawClient(port: server.port)
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for await _ in asked { break }
    server.stop()
    let outcome = try await offload { client.readToEnd().end }
    #expect(outcome == .closed)
    continuation.yield()
    for await _ in ended { break }
  }

  @Test("Whoever leaves before the answer is there harms nothing")
  func leaves() async throws {
    let (signal, continuation) = AsyncStream<Void>.makeStream()
    let (asked, ask) = AsyncStream<Void>.makeStream()
    let server = try HTTPServer(address: .loopback) { request -> HTTPServer.Reply in
      guard request.path == "/slow" else { return .now(.init(status: 200, text: "quick")) }
      return .later {
        ask.yield()
        for await _ in signal { break }
        return .init(status: 200, text: "slow")
      }
    }
    do {
      let client = RawClient(port: server.port)
      client.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
      for await _ in asked { break }
    }
    continuation.yield()
    let other = RawClient(port: server.port)
    other.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(await other.laterAnswer()?.text == "quick\n")
  }
}
