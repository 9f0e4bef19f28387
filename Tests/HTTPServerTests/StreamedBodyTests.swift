import Dispatch
import HTTPServer
import Platform
import TestSupport
import Testing

@Suite("Bodies and answers that come in pieces") struct StreamedBodyTests {
  private static func options(
    drain: Int = 1 << 20, header: Duration = .seconds(10), stall: Duration = .seconds(10)
  ) -> HTTPServer.Options {
    var options = HTTPServer.Options(timeout: .seconds(20))
    options.streamsBodies = true
    options.drainBytes = drain
    options.headerTimeout = header
    options.stallTimeout = stall
    options.refusesInJSON = true
    return options
  }

  /// Counts what comes, and how large the largest piece was.
  private func counter(
    _ options: HTTPServer.Options = options(), breaks: Guarded<Int> = Guarded(0)
  ) throws -> HTTPServer {
    let handler: @Sendable (HTTPServer.Request) -> HTTPServer.Reply = { request in
      switch request.method {
      case "GET": return .now(HTTPServer.Response(status: 200, text: "here"))
      case "DELETE": return .now(HTTPServer.Response(status: 409, text: "no"))
      default: break
      }
      return .reading { body in
        var (count, largest, sum) = (0, 0, 0)
        do {
          while let piece = try await body.next() {
            count += piece.count
            largest = max(largest, piece.count)
            sum = piece.reduce(sum) { ($0 &+ Int($1)) & 0xFFFF }
          }
        } catch {
          breaks.withLock { $0 += 1 }
        }
        return HTTPServer.Response(status: 201, text: "\(count) \(sum) \(largest < 200_000)")
      }
    }
    return try HTTPServer(address: .loopback, options: options, replying: handler)
  }

  private func post(_ length: Int, _ method: String = "POST", fields: String = "") -> String {
    "\(method) /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(length)\r\n\(fields)\r\n"
  }

  @Test("a body of any size is read in pieces", arguments: [0, 1, 100_000, 131_072, 3_000_000])
  func sizes(_ size: Int) async throws {
    let server = try counter()
    let client = RawClient(port: server.port)
    let body = [UInt8](repeating: 3, count: size)
    try await offload {
      client.send(self.post(size))
      client.send(body)
    }
    let answer = try #require(await client.laterAnswer())
    #expect(answer.status == 201)
    #expect(answer.text == "\(size) \((size * 3) & 0xFFFF) true\n")
    // The connection is still good.
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(await client.laterAnswer()?.text == "here\n")
    server.stop()
    await server.settled()
  }

  @Test("who leaves right behind the header of a request holds nothing for long")
  func gone() async throws {
    let breaks = Guarded(0)
    let gate = DispatchSemaphore(value: 0)
    let handler: @Sendable (HTTPServer.Request) -> HTTPServer.Reply = { request in
      guard request.method == "PUT" else {
        // The server's thread is busy while another visitor comes and goes.
        gate.wait()
        return .now(HTTPServer.Response(status: 200, text: "here"))
      }
      return .reading { body in
        while true {
          do { if try await body.next() == nil { break } } catch {
            breaks.withLock { $0 += 1 }
            break
          }
        }
        return HTTPServer.Response(status: 201, text: "")
      }
    }
    let server = try HTTPServer(
      address: .loopback, options: Self.options(header: .seconds(60), stall: .seconds(60)),
      replying: handler)
    let other = RawClient(port: server.port)
    other.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    do {
      let client = RawClient(port: server.port)
      client.send(post(5, "PUT"))
    }
    gate.signal()
    #expect(await other.laterAnswer()?.text == "here\n")
    await until { breaks.withLock { $0 } == 1 }
  }

  @Test("a body in chunks is read like any other")
  func chunked() async throws {
    let server = try counter()
    let client = RawClient(port: server.port)
    client.send(
      "PUT /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n")
    #expect(await client.laterAnswer()?.text.hasPrefix("13 ") == true)
  }

  @Test(
    "a body in many small chunks, faster than it is read, neither hangs nor disturbs the others")
  func smallChunks() async throws {
    let server = try counter()
    let chunk = Array("3E8\r\n".utf8) + [UInt8](repeating: 1, count: 1_000) + Array("\r\n".utf8)
    let many = Array(repeating: chunk, count: 500).joined()
    try await withThrowingTaskGroup { group in
      for _ in 0..<4 {
        group.addTask {
          let client = RawClient(port: server.port)
          try await offload {
            client.send("PUT /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<4 { client.send(Array(many)) }
            client.send("0\r\n\r\n")
          }
          #expect(await client.laterAnswer()?.text.hasPrefix("2000000 ") == true)
        }
      }
      try await group.waitForAll()
    }
    let client = RawClient(port: server.port)
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(await client.laterAnswer()?.text == "here\n")
    server.stop()
    await server.settled()
  }

  @Test("chunks that are none end the connection, and the reader hears of it")
  func chunkedGarbage() async throws {
    let breaks = Guarded(0)
    let server = try counter(breaks: breaks)
    let client = RawClient(port: server.port)
    client.send(
      "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcZZZ\r\nnonsense"
    )
    _ = try await offload { client.readToEnd() }
    server.stop()
    await server.settled()
    #expect(breaks.withLock { $0 } == 1)
  }

  @Test("a body that breaks off is told to its reader")
  func brokenOff() async throws {
    let breaks = Guarded(0)
    let server = try counter(breaks: breaks)
    func leave() {
      let client = RawClient(port: server.port)
      client.send(post(1_000))
      client.send("only this")
    }
    leave()
    await until { breaks.withLock { $0 } == 1 }
    server.stop()
    await server.settled()
  }

  @Test("an answer that wants no body goes out when the body has been thrown away")
  func drained() async throws {
    let server = try counter()
    let client = RawClient(port: server.port)
    try await offload {
      client.send(self.post(500_000, "DELETE"))
      client.send([UInt8](repeating: 0, count: 500_000))
    }
    #expect(await client.laterAnswer()?.status == 409)
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(await client.laterAnswer()?.status == 200)
  }

  @Test("a body that is too long to be thrown away is answered at once, and the connection ends")
  func tooLongToDrain() async throws {
    let server = try counter(Self.options(drain: 1_000))
    let client = RawClient(port: server.port)
    client.send(post(2_000_000_000, "DELETE"))
    let answer = try #require(await client.laterAnswer())
    #expect(answer.status == 409)
    #expect(answer["Connection"]?.lowercased() == "close")
  }

  @Test("a visitor who stops in the middle of a body is shown the door")
  func stalled() async throws {
    let breaks = Guarded(0)
    let server = try counter(
      Self.options(header: .milliseconds(300), stall: .milliseconds(300)), breaks: breaks)
    let client = RawClient(port: server.port)
    client.send(post(1_000))
    client.send("some")
    let end = try await offload { client.readToEnd().end }
    #expect(end == .closed)
    await until { breaks.withLock { $0 } == 1 }
  }

  @Test("a header that never ends is cut off")
  func slowHeader() async throws {
    let server = try counter(Self.options(header: .milliseconds(300)))
    let client = RawClient(port: server.port)
    client.send("POST /x HTTP/1.1\r\nHost: loc")
    let end = try await offload { client.readToEnd().end }
    #expect(end == .closed)
    _ = server
  }

  @Test("a hundred thousand header fields are refused")
  func manyFields() async throws {
    let server = try counter()
    let client = RawClient(port: server.port)
    try await offload {
      client.send("GET / HTTP/1.1\r\nHost: localhost\r\n")
      for _ in 0..<100 where client.send(String(repeating: "X: y\r\n", count: 1_000)) {}
      client.send("\r\n")
    }
    let bytes = try await offload { client.readToEnd().bytes }
    let text = String(decoding: bytes.prefix(12), as: UTF8.self)
    #expect(text.isEmpty || text == "HTTP/1.1 431" || text == "HTTP/1.1 413")
    let other = RawClient(port: server.port)
    other.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(await other.laterAnswer()?.status == 200)
  }

  @Test("refusals are JSON where that is spoken")
  func json() async throws {
    let server = try counter()
    let client = RawClient(port: server.port)
    client.send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    let answer = try #require(await client.laterAnswer())
    #expect(answer["Content-Type"] == "application/json")
    #expect(answer.text.hasPrefix("{\"message\": \""))
  }

  @Test("stopping ends those who read")
  func stops() async throws {
    let breaks = Guarded(0)
    let server = try counter(breaks: breaks)
    let client = RawClient(port: server.port)
    client.send(post(1_000_000))
    client.send([UInt8](repeating: 1, count: 1_000))
    server.stop()
    await server.settled()
    #expect(breaks.withLock { $0 } <= 1)
  }

  @Test("an answer comes in pieces, in order, until there are no more")
  func streaming() async throws {
    let handler: @Sendable (HTTPServer.Request) -> HTTPServer.Reply = { _ in
      let count = Guarded(0)
      return .streaming(
        HTTPServer.Response(status: 200, type: "text/plain", body: Array("begin ".utf8))
      ) {
        count.withLock { count in
          count += 1
          return count > 1_000 ? nil : Array("\(count) ".utf8)
        }
      }
    }
    let server = try HTTPServer(address: .loopback, options: Self.options(), replying: handler)
    let client = RawClient(port: server.port)
    client.send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
    let read = try await offload { client.readToEnd() }
    let text = String(decoding: read.bytes, as: UTF8.self)
    #expect(text.hasSuffix("begin " + (1...1_000).map { "\($0) " }.joined()))
    #expect(read.end == .closed)
    server.stop()
  }

  @Test("whoever makes an answer hears that its visitor has left")
  func streamLeft() async throws {
    let made = Guarded(0)
    let handler: @Sendable (HTTPServer.Request) -> HTTPServer.Reply = { _ in
      .streaming(HTTPServer.Response(status: 200, type: "image/jpeg", body: [])) {
        made.withLock { $0 += 1 }
        return [UInt8](repeating: 9, count: 100_000)
      }
    }
    let server = try HTTPServer(address: .loopback, options: Self.options(), replying: handler)
    do {
      let client = RawClient(port: server.port)
      client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
      _ = try await offload { client.readAnswer(hasBody: false) }
    }
    server.stop()
    let count = made.withLock { $0 }
    // Nobody takes it: what fits into the network's buffers is made, not more.
    #expect(count < 1_000)
  }
}
