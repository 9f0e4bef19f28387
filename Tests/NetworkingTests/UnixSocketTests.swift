import Foundation
import Networking
import Platform
import Testing

@Suite("A Unix socket") struct UnixSocketTests {
  let network: Network
  let path: String

  init() throws {
    network = try Network()
    path = "/tmp/networking-\(getpid())-\(UInt32.random(in: .min ... .max)).sock"
  }

  private func echoServer() -> LoopbackServer {
    LoopbackServer(path: path) { peer in
      while true {
        let bytes = peer.read()
        if bytes.isEmpty || !peer.send(bytes) { return }
      }
    }
  }

  @Test("carries messages of every size both ways", arguments: [0, 1, 4_095, 65_536, 1_000_000])
  func sizes(size: Int) async throws {
    let server = echoServer()
    let connection = try await network.unixSocket(path)
    let message = [UInt8](repeating: UInt8(ascii: "k"), count: size)
    async let sent: Void = connection.send(message)
    #expect(try await connection.receive() == message)
    try await sent
    try await connection.ping(timeout: .zero)
    connection.close()
    #expect(await eventually { server.open == 0 })
  }

  @Test("splits and joins messages at the delimiter")
  func split() async throws {
    let server = LoopbackServer(path: path) { peer in
      for part in ["{\"a\"", ":1}\u{3}{}\u{3}", "\u{3}x", "y\u{3}half"] {
        peer.send(part)
        usleep(1_000)
      }
    }
    let connection = try await network.unixSocket(path)
    var texts: [String] = []
    for _ in 0..<4 { texts.append(String(decoding: try await connection.receive(), as: UTF8.self)) }
    #expect(texts == ["{\"a\":1}", "{}", "", "xy"])
    let error = await #expect(throws: NetworkError.self) { try await connection.receive() }
    #expect(error?.kind == .closed)
    #expect(error?.message.hasSuffix("in the middle of a message") == true)
    _ = server
  }

  @Test("takes a message of the largest size, and none above it")
  func limit() async throws {
    let server = LoopbackServer(path: path) { peer in
      peer.send([UInt8](repeating: 65, count: 1_000) + [3])
      peer.send([UInt8](repeating: 65, count: 1_001))
      while !peer.read().isEmpty {}
    }
    let connection = try await network.unixSocket(path, messageLimit: 1_000)
    #expect(try await connection.receive().count == 1_000)
    let error = await #expect(throws: NetworkError.self) { try await connection.receive() }
    #expect(error?.kind == .tooLarge)
    #expect(await eventually { server.open == 0 })
  }

  @Test("refuses a message that contains the delimiter")
  func delimiter() async throws {
    let server = echoServer()
    let connection = try await network.unixSocket(path)
    await #expect(throws: NetworkError.self) { try await connection.send([65, 3, 66]) }
    try await connection.send([66])
    #expect(try await connection.receive() == [66])
    _ = server
  }

  @Test("where nobody listens is an error that names it")
  func absent() async throws {
    let error = await #expect(throws: NetworkError.self) { _ = try await network.unixSocket(path) }
    #expect(error?.kind == .connect)
    #expect(error?.message == "socket \(path): cannot connect: No such file or directory")
    for bad in ["", "/" + String(repeating: "x", count: 200)] {
      let error = await #expect(throws: NetworkError.self) { _ = try await network.unixSocket(bad) }
      #expect(error?.kind == .badURL)
    }
  }

  @Test("stops reading while nobody receives, and loses nothing")
  func backpressure() async throws {
    let sent = Guarded(0)
    let server = LoopbackServer(path: path) { peer in
      let message = [UInt8](repeating: 65, count: 100_000) + [3]
      for _ in 0..<100 where peer.send(message) { sent.withLock { $0 += 1 } }
      while !peer.read().isEmpty {}
    }
    let connection = try await network.unixSocket(path)
    try await Task.sleep(for: .milliseconds(40))
    #expect(sent.withLock { $0 } < 60)
    for _ in 0..<100 { #expect(try await connection.receive().count == 100_000) }
    connection.close()
    #expect(await eventually { server.open == 0 })
  }
}
