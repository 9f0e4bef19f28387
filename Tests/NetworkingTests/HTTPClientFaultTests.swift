import Foundation
import Networking
import Platform
import Testing

@Suite("An HTTP client meets a bad server") struct HTTPClientFaultTests {
  let network: Network
  let client: any HTTPTransport

  init() throws {
    network = try Network()
    client = network.client()
  }

  /// What a server does with its first request, and the failure that must follow.
  struct Fault: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var kind: NetworkError.Kind
    var answer: @Sendable (LoopbackPeer) -> Void

    init(
      _ name: String, _ kind: NetworkError.Kind,
      _ answer: @escaping @Sendable (LoopbackPeer) -> Void
    ) {
      testDescription = name
      self.kind = kind
      self.answer = answer
    }
  }

  static let faults = [
    Fault("closes without a word", .connect) { _ in },
    Fault("resets without a word", .connect) { $0.reset() },
    Fault("breaks off in the header", .protocolViolation) { $0.send("HTTP/1.1 200 OK\r\nX-A: ") },
    Fault("breaks off in the body", .protocolViolation) {
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    },
    Fault("breaks off in a chunk", .protocolViolation) {
      $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")
    },
    Fault("sends a chunk without a size", .protocolViolation) {
      $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc")
    },
    Fault("speaks another protocol", .protocolViolation) { $0.send("SSH-2.0-OpenSSH_9.2\r\n\r\n") },
    Fault("sends zeros", .protocolViolation) { $0.send([UInt8](repeating: 0, count: 5_000)) },
    Fault("announces more than allowed", .tooLarge) {
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\nabc")
    },
    Fault("sends more than allowed unannounced", .tooLarge) {
      $0.send("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 1_001))
    },
    Fault("sends a compressed flood", .tooLarge) {
      $0.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
      $0.send(HTTPClientFaultTests.gzippedZeros)
    },
    Fault("sends a header without end", .tooLarge) { peer in
      peer.send("HTTP/1.1 200 OK\r\n")
      while peer.send("X-Filler: \(String(repeating: "x", count: 1_000))\r\n") {}
    },
    Fault("sends one endless header line", .tooLarge) { peer in
      peer.send("HTTP/1.1 200 OK\r\nX: ")
      while peer.send(String(repeating: "x", count: 1_000)) {}
    },
    Fault("is silent", .timeout) { _ = $0.read() },
    Fault("drips", .timeout) { peer in
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
      while peer.send("x") { usleep(5_000) }
    },
  ]

  /// 100 kB of zeros.
  static let gzippedZeros = [UInt8](
    Data(
      base64Encoded: "H4sIAAAAAAACA+3BMQEAAADCoPVPbQ0Po" + String(repeating: "A", count: 128)
        + "IBXA32VEdSghgEA") ?? Data())

  @Test("that misbehaves, and names the kind", arguments: faults)
  func fault(_ fault: Fault) async throws {
    let server = LoopbackServer { peer in
      if peer.readRequest() != nil { fault.answer(peer) }
    }
    var request = HTTPRequest("GET", server.url("/secret/path?token=hidden"))
    request.timeout = fault.kind == .timeout ? .milliseconds(60) : .seconds(5)
    request.answerLimit = 1_000
    request.acceptsCompression = true
    let error = await #expect(throws: NetworkError.self) { try await client.send(request) }
    let failure = try #require(error)
    #expect(failure.kind == fault.kind, "\(failure)")
    #expect(failure.message.hasPrefix("127.0.0.1:\(server.port): "))
    #expect(!failure.message.contains("secret") && !failure.message.contains("hidden"))
    #expect(failure.requestMayHaveArrived || fault.kind == .timeout)
    #expect(server.accepted == 1)
  }

  @Test("whose port is closed")
  func refused() async throws {
    let url = LoopbackServer { _ in }.url()
    let error = await #expect(throws: NetworkError.self) {
      try await client.send(HTTPRequest("GET", url))
    }
    #expect(error?.kind == .connect)
    #expect(error?.message.hasSuffix("cannot connect: Connection refused") == true, "\(error!)")
    #expect(error?.requestMayHaveArrived == false)
  }

  @Test("whose name does not exist")
  func nameLookup() async throws {
    let error = await #expect(throws: NetworkError.self) {
      try await network.client(settings: NetworkSettings(proxy: ""))
        .send(HTTPRequest("GET", "http://nothing.invalid/"))
    }
    #expect(error?.kind == .nameLookup, "\(error!)")
    #expect(error?.message == "nothing.invalid:80: the host's name cannot be resolved")
  }

  @Test("that redirects, which is an answer like any other", arguments: [301, 302, 303, 307, 308])
  func redirect(status: Int) async throws {
    let server = LoopbackServer { peer in
      peer.serve { _ in peer.respond("\(status) Elsewhere", fields: ["Location: /other"]) }
    }
    let response = try await client.send(HTTPRequest("POST", server.url(), body: [1]))
    #expect(response.status == status)
    #expect(response[field: "Location"] == "/other")
    #expect(server.accepted == 1)
  }

  @Test("that answers 204 or 304 without a body, and goes on", arguments: [204, 304])
  func empty(status: Int) async throws {
    let server = LoopbackServer { peer in
      peer.serve { _ in peer.send("HTTP/1.1 \(status) Nothing\r\n\r\n") }
    }
    for _ in 0..<2 {
      let response = try await client.send(HTTPRequest("GET", server.url()))
      #expect(response.status == status)
      #expect(response.body.isEmpty)
    }
    #expect(server.accepted == 1)
  }

  @Test("that sends interim answers first")
  func interim() async throws {
    let server = LoopbackServer { peer in
      peer.serve { _ in
        peer.send("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n")
        peer.respond(fields: ["X-Late: 1"], "ok")
      }
    }
    let response = try await client.send(HTTPRequest("GET", server.url()))
    #expect(response.status == 200)
    #expect(response[field: "X-Early"] == nil)
    #expect(response[field: "X-Late"] == "1")
  }

  @Test(
    "at a URL that cannot be used",
    arguments: [
      "", "nonsense", "ftp://h/", "file:///etc/passwd", "ws://h/", "http://", "http://h h/",
    ])
  func badURL(url: String) async throws {
    let error = await #expect(throws: NetworkError.self) {
      try await client.send(HTTPRequest("GET", url))
    }
    #expect(error?.kind == .badURL)
  }

  @Test(
    "with fields that would add lines to the request",
    arguments: [
      HTTPField("X", "a\r\nY: b"), HTTPField("X", "a\nb"), HTTPField("X\r\nY", "a"),
      HTTPField("", "a"), HTTPField("X", "a\0b"), HTTPField("X:", "b"),
      HTTPField("Content-Length", "3"), HTTPField("Transfer-Encoding", "chunked"),
      HTTPField("Host", "elsewhere"),
    ])
  func smuggling(field: HTTPField) async throws {
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond() } }
    await #expect(throws: NetworkError.self) {
      try await client.send(HTTPRequest("GET", server.url(), fields: [field]))
    }
    #expect(server.accepted == 0)
  }
}
