import HTTPServer
import Platform
import TestSupport
import Testing

@Suite("Requests and answers") struct RequestTests {
  /// Answers with what the handler saw.
  private func echo(_ options: HTTPServer.Options = .init()) throws -> HTTPServer {
    try HTTPServer(address: .loopback, options: options) { request in
      let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
      let visitor = "\(request.peer) \(request.isLocal)"
      return HTTPServer.Response(
        status: 200, text: "\(request.method) \(request.path) [\(query)] \(visitor)")
    }
  }

  private func ask(
    _ server: HTTPServer, _ target: String = "/", method: String = "GET",
    fields: String = "Host: localhost\r\n"
  ) throws -> RawAnswer {
    let client = RawClient(port: server.port)
    client.send("\(method) \(target) HTTP/1.1\r\n\(fields)\r\n")
    return try #require(client.readAnswer(hasBody: method != "HEAD"))
  }

  @Test("The handler sees path and query decoded once")
  func decoding() throws {
    let server = try echo()
    let answer = try ask(server, "/files/a%20b%C3%A4%252F?q=1+2%26&empty&x=%3d")
    #expect(answer.status == 200)
    #expect(answer.text == "GET /files/a bä%2F [q=1 2&;empty=;x==] 127.0.0.1 true\n")
  }

  @Test("HEAD gets the header of GET without the body")
  func head() throws {
    let server = try echo()
    let client = RawClient(port: server.port)
    client.send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let head = try #require(client.readAnswer(hasBody: false))
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    let rest = client.readToEnd()
    #expect(head.length == "HEAD / [] 127.0.0.1 true\n".utf8.count)
    #expect(String(decoding: rest.bytes, as: UTF8.self).hasPrefix("HTTP/1.1 200 "))
  }

  @Test("One connection serves request after request, pipelined ones too, in order")
  func keepAlive() throws {
    let server = try echo()
    let client = RawClient(port: server.port)
    client.send(
      "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(try #require(client.readAnswer()).text.hasPrefix("GET /1 "))
    #expect(try #require(client.readAnswer()).text.hasPrefix("GET /2 "))
    client.send("GET /3 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(try #require(client.readAnswer()).text.hasPrefix("GET /3 "))
  }

  @Test("A small body of a GET is read and thrown away")
  func smallBody() throws {
    let server = try echo()
    let client = RawClient(port: server.port)
    client.send(
      "GET /1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n")
    client.send("abcGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(try #require(client.readAnswer()).text.hasPrefix("GET /1 "))
    #expect(try #require(client.readAnswer()).text.hasPrefix("GET /2 "))
  }

  @Test(
    "A visitor is local only without a proxy's fields",
    arguments: [
      ("", true), ("X-Forwarded-For: 10.0.0.9\r\n", false), ("x-real-ip: 127.0.0.1\r\n", false),
      ("Forwarded: for=10.0.0.9\r\n", false), ("X-Forwarded-For:\r\n", false),
    ])
  func isLocal(_ fields: String, _ expected: Bool) throws {
    let server = try echo()
    let answer = try ask(server, fields: "Host: localhost\r\n\(fields)")
    #expect(answer.text.hasSuffix(" \(expected)\n"))
  }

  @Test("405 names the methods that are answered")
  func allow() throws {
    let answer = try ask(try echo(), method: "PUT")
    #expect(answer.status == 405)
    #expect(answer["Allow"] == "GET, HEAD")
    #expect(answer["Connection"]?.lowercased() == "close")
  }

  @Test("Every answer of ours carries the protective fields; its own win")
  func protectiveFields() throws {
    let server = try HTTPServer(address: .loopback) { request in
      HTTPServer.Response(
        status: 200, text: "x",
        fields: request.path == "/own" ? [("content-security-policy", "default-src 'self'")] : [])
    }
    let plain = try ask(server, "/")
    let own = try ask(server, "/own")
    let refused = try ask(server, "/", method: "POST")
    for answer in [plain, own, refused] {
      #expect(answer["X-Content-Type-Options"] == "nosniff")
      #expect(answer["Cache-Control"] == "no-store")
      #expect(answer["X-Frame-Options"] == "DENY")
    }
    #expect(plain["Content-Security-Policy"]?.hasPrefix("default-src 'none'") == true)
    #expect(own["Content-Security-Policy"] == "default-src 'self'")
    #expect(own.head.lowercased().split(separator: "content-security-policy").count == 2)
  }

  @Test("A field that would break out of its line is not sent")
  func brokenField() throws {
    let server = try HTTPServer(address: .loopback) { _ in
      HTTPServer.Response(status: 200, text: "x", fields: [("X", "a\r\nSet-Cookie: b")])
    }
    let client = RawClient(port: server.port)
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let answer = client.readToEnd()
    #expect(answer.end == .closed)
    #expect(!String(decoding: answer.bytes, as: UTF8.self).contains("Set-Cookie"))
  }

  @Test(
    "The host is called by address, by localhost, by its own name or by a listed one",
    arguments: [
      ("127.0.0.1", 200), ("192.168.1.7:7180", 200), ("[::1]:7180", 200), ("[fe80::1]", 200),
      ("localhost", 200), ("LOCALHOST.:80", 200), ("voron.example", 200), ("Voron.Example:1", 200),
      ("\(HostInformation.hostName)", 200), ("\(HostInformation.hostName).local:7180", 200),
      ("evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421),
      ("evil.local", 421), ("[::1", 421), ("[evil]", 421), ("localhost:x", 421),
      ("localhost:123456", 421), ("user@localhost", 421), ("localhost,evil.example", 421),
      ("0x7f.1", 421), ("::1", 421),
    ])
  func hosts(_ host: String, _ status: Int) throws {
    let server = try echo(.init(hostNames: ["voron.example"]))
    #expect(try ask(server, fields: "Host: \(host)\r\n").status == status)
  }

  @Test("HTTP/1.0 needs no Host and its connection is closed")
  func oldVersion() throws {
    let server = try echo()
    let client = RawClient(port: server.port)
    client.send("GET / HTTP/1.0\r\n\r\n")
    let answer = client.readToEnd()
    #expect(answer.end == .closed)
    #expect(String(decoding: answer.bytes, as: UTF8.self).contains(" 200 OK\r\n"))
  }
}
