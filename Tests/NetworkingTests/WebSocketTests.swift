import Foundation
import Networking
import Platform
import Testing

@Suite("A WebSocket") struct WebSocketTests {
  let network: Network

  init() throws { network = try Network() }

  private func echoServer() -> LoopbackServer {
    LoopbackServer { peer in
      if peer.upgrade() != nil { peer.echo() }
    }
  }

  @Test("asks for its upgrade as the standard has it")
  func handshake() async throws {
    let seen = Guarded<WireRequest?>(nil)
    let server = LoopbackServer { peer in
      let request = peer.upgrade()
      seen.withLock { $0 = request }
      peer.echo()
    }
    let connection = try await network.webSocket(
      server.url("/websocket?token=1", scheme: "ws"), fields: [HTTPField("X-Api-Key", "k")])
    connection.close()
    #expect(await eventually { seen.withLock { $0 != nil } })
    let request = try #require(seen.withLock { $0 })
    #expect(request.line == "GET /websocket?token=1 HTTP/1.1")
    #expect(request.field("Host") == "127.0.0.1:\(server.port)")
    #expect(request.field("Upgrade") == "websocket")
    #expect(request.field("Connection") == "Upgrade")
    #expect(request.field("Sec-WebSocket-Version") == "13")
    #expect(request.field("X-Api-Key") == "k")
    let key = try #require(request.field("Sec-WebSocket-Key"))
    #expect(Data(base64Encoded: key)?.count == 16)
    #expect(request.field("Sec-WebSocket-Extensions") == nil)
  }

  @Test(
    "carries messages of every size both ways, unchanged",
    arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 400_000])
  func sizes(size: Int) async throws {
    let server = echoServer()
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    let message = (0..<size).map { UInt8(ascii: "a") + UInt8($0 % 26) }
    try await connection.send(message)
    #expect(try await connection.receive() == message)
  }

  @Test("keeps the order of many messages")
  func order() async throws {
    let server = echoServer()
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    async let received: [String] = {
      var texts: [String] = []
      for _ in 0..<2_000 {
        texts.append(String(decoding: try await connection.receive(), as: UTF8.self))
      }
      return texts
    }()
    for number in 0..<2_000 { try await connection.send(Array("\(number)".utf8)) }
    #expect(try await received == (0..<2_000).map(String.init))
  }

  @Test("lets many tasks send at once")
  func manySenders() async throws {
    let server = echoServer()
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    try await withThrowingTaskGroup { group in
      for number in 0..<200 { group.addTask { try await connection.send(Array("\(number)".utf8)) } }
      try await group.waitForAll()
    }
    var numbers: Set<Int> = []
    for _ in 0..<200 {
      numbers.insert(
        try #require(Int(String(decoding: try await connection.receive(), as: UTF8.self))))
    }
    #expect(numbers == Set(0..<200))
  }

  @Test("masks what it sends, each frame with another mask")
  func masks() async throws {
    let frames = Guarded<[WireFrame]>([])
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      while let frame = peer.readFrame() { frames.withLock { $0.append(frame) } }
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    for _ in 0..<10 { try await connection.send(Array("x".utf8)) }
    #expect(await eventually { frames.withLock { $0.count } == 10 })
    let masks = frames.withLock { $0.compactMap(\.mask) }
    #expect(masks.count == 10)
    #expect(Set(masks).count == 10)
  }

  @Test("joins fragments, with control frames between them")
  func fragments() async throws {
    let pong = Guarded<WireFrame?>(nil)
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      peer.send(WireFrame(isFinal: false, opcode: 1, payload: Array("one ".utf8)))
      peer.send(WireFrame(opcode: 9, payload: Array("p".utf8)))
      peer.send(WireFrame(isFinal: false, opcode: 0, payload: Array("tw\u{f6}".utf8.dropLast())))
      peer.send(WireFrame(isFinal: false, opcode: 0, payload: []))
      peer.send(WireFrame(opcode: 0, payload: Array("\u{f6}".utf8.suffix(1))))
      let frame = peer.readFrame()
      pong.withLock { $0 = frame }
      peer.echo()
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    #expect(try await connection.receive() == Array("one tw\u{f6}".utf8))
    #expect(await eventually { pong.withLock { $0 != nil } })
    #expect(pong.withLock { $0?.opcode } == 10)
    #expect(pong.withLock { $0?.payload } == Array("p".utf8))
  }

  @Test("understands frames that come byte by byte, and messages that come with the handshake")
  func drip() async throws {
    let server = LoopbackServer { peer in
      guard let key = peer.readRequest()?.field("Sec-WebSocket-Key") else { return }
      let answer =
        "HTTP/1.1 101 Yes\r\nupgrade: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n"
        + "sec-websocket-accept: \(LoopbackPeer.acceptance(of: key))\r\n\r\n"
      peer.send(Array(answer.utf8) + WireFrame.text("early").bytes())
      for byte in WireFrame.text("slow").bytes() {
        peer.send([byte])
        usleep(200)
      }
      peer.echo()
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    #expect(try await connection.receive() == Array("early".utf8))
    #expect(try await connection.receive() == Array("slow".utf8))
  }

  @Test("knows when its ping is answered, and when not")
  func ping() async throws {
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      guard let first = peer.readFrame() else { return }
      peer.send(WireFrame(opcode: 10, payload: Array("12345678".utf8)))  // somebody else's
      peer.send(WireFrame(opcode: 10, payload: first.payload))
      while peer.readFrame() != nil {}
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    try await connection.ping(timeout: .seconds(5))
    let error = await #expect(throws: NetworkError.self) {
      try await connection.ping(timeout: .milliseconds(20))
    }
    #expect(error?.kind == .timeout)
  }

  @Test("says good-bye with a close frame, and ends")
  func close() async throws {
    let last = Guarded<WireFrame?>(nil)
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      while let frame = peer.readFrame() {
        last.withLock { $0 = frame }
        if frame.opcode == 8 { return peer.send(WireFrame(opcode: 8, payload: frame.payload)) }
      }
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    let waiting = Task { _ = try await connection.receive() }
    connection.close()
    connection.close()
    let error = await #expect(throws: NetworkError.self) { try await waiting.value }
    #expect(error?.kind == .closed)
    #expect(await eventually { server.open == 0 })
    #expect(last.withLock { $0?.payload } == [3, 232])
    for _ in 0..<2 {
      await #expect(throws: NetworkError.self) { try await connection.receive() }
      await #expect(throws: NetworkError.self) { try await connection.send([]) }
      await #expect(throws: NetworkError.self) { try await connection.ping(timeout: .seconds(1)) }
    }
  }

  @Test("says its last words before the close frame, also in a task that was cancelled")
  func lastWords() async throws {
    let frames = Guarded<[WireFrame]>([])
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      while let frame = peer.readFrame() {
        frames.withLock { $0.append(frame) }
        if frame.opcode == 8 { return peer.send(WireFrame(opcode: 8, payload: frame.payload)) }
      }
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    try await connection.send(Array("first".utf8))
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      connection.close(saying: [Array("41".utf8), Array("1".utf8)])
      connection.close(saying: [Array("too late".utf8)])
    }
    await task.value
    #expect(await eventually { server.open == 0 })
    let texts = frames.withLock { $0.map { String(decoding: $0.payload, as: UTF8.self) } }
    #expect(texts.dropLast() == ["first", "41", "1"])
    #expect(frames.withLock { $0.map(\.opcode) } == [1, 1, 1, 8])
  }

  @Test("tells text from binary messages")
  func kinds() async throws {
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      peer.send(WireFrame.text("t"))
      peer.send(WireFrame(opcode: 2, payload: [0xFF, 0]))
      peer.echo()
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    #expect(try await connection.receiveMessage() == ReceivedMessage(Array("t".utf8)))
    #expect(try await connection.receiveMessage() == ReceivedMessage([0xFF, 0], isText: false))
  }

  @Test("closes when nobody holds it any more")
  func release() async throws {
    let server = echoServer()
    var connection: (any MessageConnection)? = try await network.webSocket(server.url(scheme: "ws"))
    try await connection?.send([])
    #expect(server.open == 1)
    connection = nil
    #expect(await eventually { server.open == 0 })
  }

  @Test("does not wait for ever for the other side's close frame")
  func rudeServer() async throws {
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      while !peer.read().isEmpty {}
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    connection.close()
    #expect(await eventually { server.open == 0 })
  }

  @Test("tells the close code, after the messages before it", arguments: [1000, 1001, 1011, 4000])
  func closeCode(code: Int) async throws {
    let reply = Guarded<WireFrame?>(nil)
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      peer.send(WireFrame.text("last").bytes() + WireFrame.close(UInt16(code)).bytes())
      let frame = peer.readFrame()
      reply.withLock { $0 = frame }
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    #expect(await eventually { server.open == 0 })
    #expect(try await connection.receive() == Array("last".utf8))
    let error = await #expect(throws: NetworkError.self) { try await connection.receive() }
    #expect(error?.kind == .closed)
    #expect(error?.message.hasSuffix("closed by the other side with code \(code)") == true)
    #expect(error?.closeCode == code)
    #expect(reply.withLock { $0?.opcode } == 8)
  }

  @Test("stops reading while nobody receives, and loses nothing")
  func backpressure() async throws {
    let sent = Guarded(0)
    let message = [UInt8](repeating: UInt8(ascii: "m"), count: 100_000)
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      let frame = WireFrame(opcode: 1, payload: message).bytes()
      for _ in 0..<200 where peer.send(frame) { sent.withLock { $0 += 1 } }
      peer.echo()
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    try await Task.sleep(for: .milliseconds(80))
    #expect(sent.withLock { $0 } < 150)
    for _ in 0..<200 { #expect(try await connection.receive() == message) }
    #expect(sent.withLock { $0 } == 200)
  }

  @Test("holds back senders while the other side does not read")
  func outboundBackpressure() async throws {
    let goOn = Guarded(false)
    let taken = Guarded(0)
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      while !goOn.withLock({ $0 }) { usleep(1_000) }
      while case let bytes = peer.read(), !bytes.isEmpty { taken.withLock { $0 += bytes.count } }
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    let done = Guarded(0)
    let message = [UInt8](repeating: UInt8(ascii: "m"), count: 200_000)
    let sender = Task {
      for _ in 0..<100 {
        try await connection.send(message)
        done.withLock { $0 += 1 }
      }
    }
    try await Task.sleep(for: .milliseconds(60))
    #expect(done.withLock { $0 } < 90)
    goOn.withLock { $0 = true }
    try await sender.value
    #expect(await eventually { taken.withLock { $0 } == 100 * (200_000 + 14) })
  }

  @Test("gives a cancelled receiver, sender and ping back at once, and lives on")
  func cancellation() async throws {
    let goOn = Guarded(false)
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      while !goOn.withLock({ $0 }) { usleep(1_000) }
      while let frame = peer.readFrame() {
        if frame.opcode == 1, frame.payload.count == 10 { peer.send(.text("heard")) }
      }
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    let receiver = Task { _ = try await connection.receive() }
    // More than the kernel takes.
    let sender = Task {
      try await connection.send([UInt8](repeating: UInt8(ascii: "x"), count: 16_000_000))
    }
    let ping = Task { try await connection.ping(timeout: .seconds(30)) }
    try await Task.sleep(for: .milliseconds(10))
    for task in [receiver, sender, ping] {
      task.cancel()
      let error = await #expect(throws: NetworkError.self) { try await task.value }
      #expect(error?.kind == .cancelled)
    }
    goOn.withLock { $0 = true }
    try await connection.send(Array("still here".utf8))
    #expect(try await connection.receive() == Array("heard".utf8))
  }

  @Test("refuses a second receiver instead of sharing messages out")
  func twoReceivers() async throws {
    let server = echoServer()
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    async let first = connection.receive()
    try await Task.sleep(for: .milliseconds(10))
    let error = await #expect(throws: NetworkError.self) { try await connection.receive() }
    #expect(error?.kind == .other)
    try await connection.send(Array("x".utf8))
    #expect(try await first == Array("x".utf8))
  }

  @Test("ends with the network, not without a close frame")
  func shutdown() async throws {
    let last = Guarded<WireFrame?>(nil)
    let server = LoopbackServer { peer in
      _ = peer.upgrade()
      while let frame = peer.readFrame() { last.withLock { $0 = frame } }
    }
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    let receiver = Task { _ = try await connection.receive() }
    try await Task.sleep(for: .milliseconds(5))
    network.shutdown()
    let error = await #expect(throws: NetworkError.self) { try await receiver.value }
    #expect(error?.kind == .cancelled)
    #expect(await eventually { server.open == 0 })
    #expect(last.withLock { $0?.opcode } == 8)
    await #expect(throws: NetworkError.self) { try await connection.send([]) }
    await #expect(throws: NetworkError.self) {
      _ = try await network.webSocket(server.url(scheme: "ws"))
    }
  }
}
