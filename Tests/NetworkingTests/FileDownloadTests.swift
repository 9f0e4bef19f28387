import Foundation
import Networking
import Platform
import Testing

@Suite("An answer to the disk") struct FileDownloadTests {
  let network: Network
  let client: any HTTPTransport
  let folder: TemporaryFolder

  init() throws {
    network = try Network()
    client = network.client()
    folder = try TemporaryFolder()
  }

  private func download(_ server: LoopbackServer, limit: Int64 = 1 << 30) -> HTTPRequest {
    var request = HTTPRequest("GET", server.url("/secret?token=hidden"), answerLimit: 100)
    request.answerFile = folder("answer")
    request.fileLimit = limit
    request.stallTimeout = .seconds(10)
    return request
  }

  @Test("is there whole, private, and not in memory", arguments: [0, 1, 16_384, 5_000_000])
  func whole(size: Int) async throws {
    let text = String(repeating: "abcdefg\n", count: size / 8 + 1).prefix(size)
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond("200 OK", String(text)) } }
    let response = try await client.send(download(server, limit: Int64(max(1, size))))
    #expect(response.status == 200)
    #expect(response.body.isEmpty)
    #expect(response.writtenBytes == Int64(size))
    #expect(try folder.read("answer") == Array(text.utf8))
    #expect(try Files.information(folder("answer"))?.mode == 0o600)
  }

  @Test("has a connection of its own, since a kept one may be about to break")
  func ownConnection() async throws {
    let server = LoopbackServer { peer in
      var first = true
      peer.serve { _ in
        if first { peer.respond() } else { peer.close() }
        first = false
      }
    }
    let client = client
    #expect(try await client.send(HTTPRequest("GET", server.url())).status == 200)
    #expect(try await client.send(download(server)).status == 200)
    #expect(server.accepted == 2)
  }

  @Test("is there when it came in chunks of unknown number, slowly")
  func chunks() async throws {
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      for _ in 0..<20 {
        peer.send("3\r\nabc\r\n")
        usleep(60_000)
      }
      peer.send("0\r\n\r\n")
    }
    var request = download(server)
    request.timeout = .milliseconds(100)
    request.stallTimeout = .seconds(1)
    #expect(try await client.send(request).writtenBytes == 60)
    #expect(try folder.read("answer").count == 60)
  }

  @Test("is in memory where it is no success", arguments: [304, 404, 500, 302])
  func noSuccess(status: Int) async throws {
    let server = LoopbackServer { peer in
      peer.serve { _ in peer.respond("\(status) No", status == 304 ? "" : "sorry") }
    }
    let response = try await client.send(download(server))
    #expect(response.status == status)
    #expect(response.body == (status == 304 ? [] : Array("sorry".utf8)))
    #expect(response.writtenBytes == 0)
    #expect(try folder.names == [])
  }

  /// What a server does, and the failure that must follow.
  struct Fault: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var kind: NetworkError.Kind
    var answer: @Sendable (LoopbackPeer) -> Void
  }

  static let faults = [
    Fault(testDescription: "announces too much", kind: .tooLarge) {
      $0.respond("200 OK", String(repeating: "x", count: 200_001))
    },
    Fault(testDescription: "sends too much", kind: .tooLarge) {
      $0.send("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 200_001))
    },
    Fault(testDescription: "says too much beside a failure", kind: .tooLarge) {
      $0.respond("500 Sorry", String(repeating: "x", count: 101))
    },
    Fault(testDescription: "breaks off half-way", kind: .protocolViolation) {
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
      $0.send(String(repeating: "x", count: 50_000))
    },
    Fault(testDescription: "resets half-way", kind: .protocolViolation) {
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
      $0.send(String(repeating: "x", count: 50_000))
      usleep(20_000)
      $0.reset()
    },
    Fault(testDescription: "falls silent half-way", kind: .timeout) {
      $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
      $0.send(String(repeating: "x", count: 50_000))
      _ = $0.read()
    },
    Fault(testDescription: "never answers", kind: .timeout) { _ = $0.read() },
    Fault(testDescription: "closes without a word", kind: .connect) { _ in },
  ]

  @Test("is gone where the server", arguments: faults)
  func fault(_ fault: Fault) async throws {
    let server = LoopbackServer { peer in
      if peer.readRequest() != nil { fault.answer(peer) }
    }
    var request = download(server, limit: 200_000)
    if fault.kind == .timeout { request.stallTimeout = .milliseconds(200) }
    let error = await #expect(throws: NetworkError.self) { try await client.send(request) }
    #expect(error?.kind == fault.kind, "\(error!)")
    #expect(error?.message.contains("hidden") == false)
    #expect(try folder.names == [])
    #expect(await eventually { server.open == 0 })
  }

  @Test("never replaces what stands there")
  func standing() async throws {
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond("200 OK", "new") } }
    _ = try folder.file("answer", [1, 2, 3])
    let error = await #expect(throws: NetworkError.self) {
      try await client.send(download(server))
    }
    #expect(error?.kind == .disk)
    #expect(error?.message.contains(folder.path) == false)
    #expect(try folder.read("answer") == [1, 2, 3])
    #expect(server.accepted == 0)
  }

  @Test("is gone when the task is cancelled, and the connection closed")
  func cancelled() async throws {
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
      _ = peer.read()
    }
    let request = download(server)
    let task = Task { [client] in try await client.send(request) }
    #expect(await eventually { (try? folder.read("answer").count) == 3 })
    task.cancel()
    let error = await #expect(throws: NetworkError.self) { try await task.value }
    #expect(error?.kind == .cancelled)
    #expect(try folder.names == [])
    #expect(await eventually { server.open == 0 })
  }

  @Test("is gone when the network shuts down")
  func shutdown() async throws {
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
      _ = peer.read()
    }
    let request = download(server)
    let task = Task { [client] in try await client.send(request) }
    #expect(await eventually { (try? folder.read("answer").count) == 3 })
    network.shutdown()
    let error = await #expect(throws: NetworkError.self) { try await task.value }
    #expect(error?.kind == .cancelled)
    #expect(try folder.names == [])
  }

  @Test(
    "that the disk has no room for says so and is gone",
    .enabled(if: SmallDisk.isAvailable, "needs the right to mount"))
  func full() async throws {
    let disk = try SmallDisk(at: folder.path)
    defer { disk.unmount() }
    let server = LoopbackServer { peer in
      peer.serve { _ in peer.respond("200 OK", String(repeating: "x", count: 200_000)) }
    }
    let error = await #expect(throws: NetworkError.self) {
      try await client.send(download(server))
    }
    #expect(error?.kind == .disk)
    #expect(
      error?.message.hasSuffix("No space left on device; free some space on that disk") == true)
    #expect(error?.message.contains(folder.path) == false)
    #expect(try folder.names == [])
  }
}

/// A file system of 64 kB.
struct SmallDisk {
  private let path: String

  static let isAvailable: Bool = {
    guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
    guard let disk = try? SmallDisk(at: folder.path) else { return false }
    disk.unmount()
    return true
  }()

  init(at path: String) throws {
    guard mount("none", path, "tmpfs", 0, "size=65536") == 0 else {
      throw PlatformError.current("mount", path)
    }
    self.path = path
  }

  func unmount() { umount(path) }
}
