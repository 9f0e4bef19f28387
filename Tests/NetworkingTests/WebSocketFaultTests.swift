import Foundation
import Networking
import Platform
import Testing

@Suite("A WebSocket meets a bad server") struct WebSocketFaultTests {
  let network: Network

  init() throws { network = try Network() }

  /// What a server does after the handshake; what `receive` must throw, and the close code that must be sent.
  struct Fault: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var kind: NetworkError.Kind
    var code: Int?
    var act: @Sendable (LoopbackPeer) -> Void

    init(
      _ name: String, _ kind: NetworkError.Kind, _ code: Int?,
      _ act: @escaping @Sendable (LoopbackPeer) -> Void
    ) {
      testDescription = name
      self.kind = kind
      self.code = code
      self.act = act
    }
  }

  static let faults = [
    Fault("masks its frames", .protocolViolation, 1002) {
      $0.send(WireFrame(opcode: 1, mask: [1, 2, 3, 4], payload: [65]))
    },
    Fault("sends text that is not UTF-8", .protocolViolation, 1007) {
      $0.send(WireFrame(opcode: 1, payload: [0xC3, 0x28]))
    },
    Fault("sends an overlong encoding", .protocolViolation, 1007) {
      $0.send(WireFrame(opcode: 1, payload: [0xC0, 0x80]))
    },
    Fault("sends a surrogate", .protocolViolation, 1007) {
      $0.send(WireFrame(opcode: 1, payload: [0xED, 0xA0, 0x80]))
    },
    Fault("cuts a character off at a message's end", .protocolViolation, 1007) {
      $0.send(WireFrame(opcode: 1, payload: [0xE2, 0x82]))
    },
    Fault("sends too large a frame", .tooLarge, 1009) {
      $0.send(WireFrame(opcode: 1, payload: [UInt8](repeating: 65, count: 1_001)))
    },
    Fault("announces a frame without end", .tooLarge, 1009) {
      $0.send(WireFrame(opcode: 1, payload: [65]).bytes(announcing: Int.max))
    },
    Fault("announces a negative length", .protocolViolation, nil) {
      $0.send([0x81, 127, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
    },
    Fault("sends too many continuations", .tooLarge, 1009) { peer in
      peer.send(WireFrame(isFinal: false, opcode: 1, payload: []))
      for _ in 0..<20 {
        peer.send(WireFrame(isFinal: false, opcode: 0, payload: [UInt8](repeating: 65, count: 51)))
      }
    },
    Fault("starts a message within a message", .protocolViolation, 1002) { peer in
      peer.send(WireFrame(isFinal: false, opcode: 1, payload: [65]))
      peer.send(WireFrame.text("x"))
    },
    Fault("continues nothing", .protocolViolation, 1002) {
      $0.send(WireFrame(opcode: 0, payload: [65]))
    },
    Fault("sets a reserved bit", .protocolViolation, 1002) {
      $0.send(WireFrame(reserved: 4, opcode: 1, payload: [65]))
    },
    Fault("uses a reserved opcode", .protocolViolation, 1002) {
      $0.send(WireFrame(opcode: 3, payload: [65]))
    },
    Fault("fragments a ping", .protocolViolation, nil) {
      $0.send(WireFrame(isFinal: false, opcode: 9, payload: []))
    },
    Fault("sends a large ping", .protocolViolation, nil) {
      $0.send(WireFrame(opcode: 9, payload: [UInt8](repeating: 0, count: 126)))
    },
    Fault("closes with half a code", .closed, nil) {
      $0.send(WireFrame(opcode: 8, payload: [3]))
    },
    Fault("closes with a code of its own invention", .protocolViolation, 1002) {
      $0.send(WireFrame.close(999))
    },
    Fault("closes without a code", .closed, nil) { $0.send(WireFrame(opcode: 8, payload: [])) },
    Fault("stops in the middle of a frame", .closed, nil) {
      $0.send(Array(WireFrame.text("half").bytes().dropLast(2)))
      $0.close()
    },
    Fault("leaves without a word", .closed, nil) { $0.close() },
    Fault("resets", .closed, nil) { $0.reset() },
    Fault("speaks HTTP", .protocolViolation, nil) { $0.send("HTTP/1.1 400 Bad\r\n\r\n") },
  ]

  @Test("that misbehaves, and names the kind", arguments: faults)
  func fault(_ fault: Fault) async throws {
    let closeCode = Guarded<Int?>(nil)
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      fault.act(peer)
      while let frame = peer.readFrame() {
        if frame.opcode == 8, frame.payload.count >= 2 {
          closeCode.withLock { $0 = Int(frame.payload[0]) << 8 | Int(frame.payload[1]) }
        }
      }
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"), messageLimit: 1_000)
    let error = await #expect(throws: NetworkError.self) { try await connection.receive() }
    #expect(error?.kind == fault.kind, "\(error!)")
    #expect(error?.message.hasPrefix("127.0.0.1:\(server.port): ") == true)
    #expect(await eventually { server.open == 0 })
    if let code = fault.code { #expect(closeCode.withLock { $0 } == code) }
    await #expect(throws: NetworkError.self) { try await connection.send([65]) }
  }

  @Test("that floods it with pings and reads no answers, without growing")
  func pingFlood() async throws {
    let sent = Guarded(0)
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      let pings = (0..<1_000).flatMap { _ in
        WireFrame(opcode: 9, payload: [UInt8](repeating: 0, count: 125)).bytes()
      }
      while sent.withLock({ $0 }) < 400, peer.send(pings) { sent.withLock { $0 += 1 } }
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    try await Task.sleep(for: .milliseconds(60))
    // Both sides' kernels hold some megabytes; 400 × 127 kB are not taken.
    #expect(sent.withLock { $0 } < 400)
    connection.close()
    #expect(await eventually { server.open == 0 })
  }

  /// A handshake's answer, `$ACCEPT` standing for the right value.
  static let answers: [(String, NetworkError.Kind, Int?)] = [
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .protocolViolation, 200),
    ("HTTP/1.1 401 Unauthorized\r\n\r\n", .protocolViolation, 401),
    ("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", .protocolViolation, 302),
    ("HTTP/1.1 503 Busy\r\n\r\n<html>", .protocolViolation, 503),
    ("", .connect, nil),
    ("HTTP/1.1 101 Sw", .connect, nil),
    ("SSH-2.0-OpenSSH\r\n\r\n", .protocolViolation, nil),
    ("HTTP/1.1 101\r\n\r\n", .protocolViolation, nil),
    ("HTTP/1.1 99999 X\r\n\r\n", .protocolViolation, nil),
    (
      "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", .protocolViolation, nil
    ),
    (
      "HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: $ACCEPT\r\n\r\n",
      .protocolViolation, nil
    ),
    (
      "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: $ACCEPT\r\n\r\n",
      .protocolViolation, nil
    ),
    (
      "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x$ACCEPT\r\n\r\n",
      .protocolViolation, nil
    ),
    (
      "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: $ACCEPT\r\n"
        + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
      .protocolViolation, nil
    ),
    (
      "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: $ACCEPT\r\n"
        + "Sec-WebSocket-Protocol: other\r\n\r\n",
      .protocolViolation, nil
    ),
    (
      "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nnonsense\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: $ACCEPT\r\n\r\n",
      .protocolViolation, nil
    ),
    (
      "HTTP/1.1 101 X\r\nX: " + String(repeating: "x", count: 40_000), .tooLarge, nil
    ),
  ]

  @Test("that refuses or garbles the handshake", arguments: answers)
  func handshake(answer: String, kind: NetworkError.Kind, status: Int?) async throws {
    let server = LoopbackServer { peer in
      guard let key = peer.readRequest()?.field("Sec-WebSocket-Key") else { return }
      peer.send(
        answer.replacingOccurrences(of: "$ACCEPT", with: LoopbackPeer.acceptance(of: key)))
    }
    let error = await #expect(throws: NetworkError.self) {
      _ = try await network.webSocket(server.url("/secret?token=hidden", scheme: "ws"))
    }
    #expect(error?.kind == kind, "\(error!)")
    #expect(error?.httpStatus == status)
    #expect(
      error?.message.contains("hidden") == false && error?.message.contains("secret") == false)
    #expect(await eventually { server.open == 0 })
  }

  @Test(
    "that refuses for some time",
    arguments: [
      ("Retry-After: 120", "120"), ("retry-after:Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21"),
      ("X: 5", nil),
    ] as [(String, String?)])
  func retryAfter(line: String, asked: String?) async throws {
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\(line)\r\n\r\n")
    }
    let error = await #expect(throws: NetworkError.self) {
      _ = try await network.webSocket(server.url(scheme: "ws"))
    }
    #expect(error?.httpStatus == 503)
    #expect(error?.retryAfter == nil || asked != nil)
    #expect(error?.retryAfter?.contains(asked ?? "") ?? (asked == nil))
  }

  @Test("that does not answer, within the time given")
  func silence() async throws {
    let server = LoopbackServer { peer in while !peer.read().isEmpty {} }
    let error = await #expect(throws: NetworkError.self) {
      _ = try await network.webSocket(server.url(scheme: "ws"), timeout: .milliseconds(50))
    }
    #expect(error?.kind == .timeout)
    #expect(await eventually { server.open == 0 })
  }

  @Test("that hangs while the task is cancelled")
  func cancelled() async throws {
    let server = LoopbackServer { peer in while !peer.read().isEmpty {} }
    let task = Task { _ = try await network.webSocket(server.url(scheme: "ws")) }
    #expect(await eventually { server.open == 1 })
    task.cancel()
    let error = await #expect(throws: NetworkError.self) { try await task.value }
    #expect(error?.kind == .cancelled)
    #expect(await eventually { server.open == 0 })
  }

  @Test("whose port is closed")
  func refused() async throws {
    let url = LoopbackServer { _ in }.url(scheme: "ws")
    let error = await #expect(throws: NetworkError.self) { _ = try await network.webSocket(url) }
    #expect(error?.kind == .connect)
  }

  @Test("at a URL, or with fields, that cannot be used")
  func badRequest() async throws {
    for url in ["", "http://h/", "ws://", "ws://user:password@127.0.0.1:1/", "ws://h h/"] {
      let error = await #expect(throws: NetworkError.self) { _ = try await network.webSocket(url) }
      #expect(error?.kind == .badURL)
      #expect(error?.message.contains("user:") == false)
    }
    for field in [HTTPField("X", "a\r\nb"), HTTPField("Upgrade", "x"), HTTPField("", "x")] {
      await #expect(throws: NetworkError.self) {
        _ = try await network.webSocket("ws://127.0.0.1:1/", fields: [field])
      }
    }
  }
}
