import Foundation
import Networking
import Platform
import Testing

@Suite("TLS") struct TLSTests {
  /// One server and one front for all of the suite's tests.
  private static let backend = LoopbackServer { peer in
    while let request = peer.readRequest() {
      if let key = request.field("Sec-WebSocket-Key") {
        peer.send(
          "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(LoopbackPeer.acceptance(of: key))\r\n\r\n")
        return peer.echo()
      }
      peer.respond("200 OK", "secret")
    }
  }
  private static let front = Result { try TLSFront(before: backend.port) }

  let network: Network
  let front: TLSFront
  let trusting = NetworkSettings(caFile: TestCertificates.ca)

  init() throws {
    network = try Network()
    front = try Self.front.get()
  }

  private func failure(
    _ name: String, _ settings: NetworkSettings, pin: String? = nil
  ) async throws -> NetworkError {
    let client = network.client(settings: settings, pinnedPublicKey: pin)
    return try #require(
      await #expect(throws: NetworkError.self) {
        try await client.send(HTTPRequest("GET", front.url(name)))
      })
  }

  @Test("works with a server that the CA file vouches for, again and again")
  func trusted() async throws {
    let client = network.client(settings: trusting)
    for _ in 0..<3 {
      let response = try await client.send(HTTPRequest("GET", front.url("good")))
      #expect(response.body == Array("secret".utf8))
    }
  }

  @Test("refuses what the system's or another CA does not vouch for")
  func untrusted() async throws {
    for settings in [NetworkSettings(), NetworkSettings(caFile: TestCertificates.otherCA)] {
      let error = try await failure("good", settings)
      #expect(error.kind == .tls, "\(error)")
      #expect(!error.requestMayHaveArrived)
    }
  }

  @Test("tells a certificate that is not valid yet from one that is not valid any more")
  func validity() async throws {
    let early = try await failure("early", trusting)
    #expect(early.kind == .certificateNotYetValid, "\(early)")
    #expect(early.message.contains("clock"))
    let expired = try await failure("expired", trusting)
    #expect(expired.kind == .tls)
    #expect(expired.message.contains("expired"), "\(expired)")
  }

  @Test("refuses another host's certificate, an unreadable CA file and versions before 1.2")
  func refused() async throws {
    let elsewhere = try await failure("elsewhere", trusting)
    #expect(elsewhere.kind == .tls)
    #expect(elsewhere.message.contains("127.0.0.1"))
    let absent = try await failure("good", NetworkSettings(caFile: "/nonexistent.pem"))
    #expect(absent.kind == .tls)
    #expect(absent.message.contains("/nonexistent.pem"))
    let old = try await failure("old", trusting)
    #expect(old.kind == .tls, "\(old)")
  }

  @Test("holds a server to its pinned key")
  func pin() async throws {
    let right = network.client(
      settings: trusting, pinnedPublicKey: try TestCertificates.pin(of: "good"))
    #expect(try await right.send(HTTPRequest("GET", front.url("good"))).status == 200)
    let wrong = try TestCertificates.pin(of: "expired")
    let error = try await failure("good", trusting, pin: wrong)
    #expect(error.kind == .tls)
    #expect(error.message.contains("pinned"))
  }

  @Test("is missed on a plain port")
  func plain() async throws {
    let server = LoopbackServer { peer in
      _ = peer.read()
      peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
    }
    let error = await #expect(throws: NetworkError.self) {
      try await network.client().send(HTTPRequest("GET", server.url(scheme: "https")))
    }
    #expect(error?.kind == .tls, "\(error!)")
  }

  @Test("carries WebSocket messages of every size", arguments: [0, 1, 70_000, 1_000_000])
  func webSocket(size: Int) async throws {
    let connection = try await network.webSocket(
      front.url("good", scheme: "wss"), settings: trusting)
    let message = [UInt8](repeating: UInt8(ascii: "x"), count: size)
    for _ in 0..<3 {
      async let sent: Void = connection.send(message)
      #expect(try await connection.receive() == message)
      try await sent
    }
    try await connection.ping(timeout: .seconds(5))
    connection.close()
  }

  @Test("carries many WebSocket messages both ways at once")
  func webSocketLoad() async throws {
    let connection = try await network.webSocket(
      front.url("good", scheme: "wss"), settings: trusting)
    let sender = Task {
      for number in 0..<60 {
        try await connection.send([UInt8](repeating: UInt8(ascii: "y"), count: number * 997))
      }
    }
    for number in 0..<60 { #expect(try await connection.receive().count == number * 997) }
    try await sender.value
  }

  @Test("guards WebSockets just as requests")
  func webSocketRefused() async throws {
    for (name, kind) in [("early", NetworkError.Kind.certificateNotYetValid), ("elsewhere", .tls)] {
      let error = await #expect(throws: NetworkError.self) {
        _ = try await network.webSocket(front.url(name, scheme: "wss"), settings: trusting)
      }
      #expect(error?.kind == kind, "\(error!)")
    }
  }
}
