import Foundation
import Networking
import Platform
import Testing

@Suite("A body from the disk") struct FileUploadTests {
  let network: Network
  let client: any HTTPTransport
  let folder: TemporaryFolder

  init() throws {
    network = try Network()
    client = network.client()
    folder = try TemporaryFolder()
  }

  private func upload(
    _ method: String, _ url: String, _ size: Int, prefix: String = "", suffix: String = ""
  ) throws -> HTTPRequest {
    var request = HTTPRequest(method, url)
    request.bodyFile = BodyFile(
      path: try folder.file("body", Self.bytes(size)), size: Int64(size),
      prefix: Array(prefix.utf8), suffix: Array(suffix.utf8))
    request.stallTimeout = .seconds(10)
    return request
  }

  /// A request with a sparse body of zeros.
  private func largeUpload(_ url: String, _ size: Int) throws -> HTTPRequest {
    var request = try upload("PUT", url, 0)
    #expect(truncate(folder("body"), size) == 0)
    request.bodyFile?.size = Int64(size)
    return request
  }

  private static func bytes(_ count: Int) -> [UInt8] {
    let block = (0..<min(count, 65_521)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    var bytes: [UInt8] = []
    while bytes.count < count { bytes += block.prefix(count - bytes.count) }
    return bytes
  }

  @Test(
    "arrives byte for byte, of known length",
    arguments: ["POST", "PUT"], [0, 1, 65_536, 300_001, 2_000_000])
  func exact(method: String, size: Int) async throws {
    let seen = Guarded<[WireRequest]>([])
    let server = LoopbackServer { peer in
      peer.serve { request in
        seen.withLock { $0.append(request) }
        peer.respond("201 Created", "ok")
      }
    }
    for (prefix, suffix) in [("", ""), ("--x\r\nA: b\r\n\r\n", "\r\n--x--\r\n")] {
      let request = try upload(method, server.url("/f"), size, prefix: prefix, suffix: suffix)
      let response = try await client.send(request)
      #expect(response.status == 201)
      #expect(response.body == Array("ok".utf8))
      let arrived = try #require(seen.withLock { $0.popLast() })
      #expect(arrived.line == "\(method) /f HTTP/1.1")
      #expect(
        arrived.body == Array(prefix.utf8) + Self.bytes(size) + Array(suffix.utf8))
      #expect(arrived.field("Content-Length") == String(arrived.body.count))
      #expect(arrived.field("Transfer-Encoding") == nil)
      #expect(arrived.field("Expect") == nil)
      #expect(arrived.field("Content-Type") == nil)
    }
    #expect(try folder.names == ["body"])
  }

  @Test(
    "that is not there, or not of the size that was told, is not sent", arguments: [nil, 9, 11])
  func wrongFile(size: Int?) async throws {
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond() } }
    var request = try upload("PUT", server.url(), 10)
    request.bodyFile?.size = Int64(size ?? 10)
    if size == nil { request.bodyFile?.path += "-gone" }
    let error = await #expect(throws: NetworkError.self) { try await client.send(request) }
    #expect(error?.kind == .disk)
    #expect(error?.message.contains(folder.path) == false)
    #expect(server.accepted == 0)
  }

  @Test("that shrinks on the way ends the exchange")
  func shrinking() async throws {
    let path = folder("body")
    let server = LoopbackServer { peer in
      _ = peer.read(through: Array("\r\n\r\n".utf8))
      truncate(path, 0)
      while !peer.read().isEmpty {}
    }
    let request = try largeUpload(server.url(), 30_000_000)
    let error = await #expect(throws: NetworkError.self) { try await client.send(request) }
    #expect(error?.kind == .disk, "\(error!)")
    #expect(error?.requestMayHaveArrived == true)
    #expect(await eventually { server.open == 0 })
  }

  @Test("that nobody takes ends after so long without movement")
  func stalled() async throws {
    let end = DispatchSemaphore(value: 0)
    let server = LoopbackServer { peer in
      _ = peer.read(atMost: 10)
      end.wait()
    }
    var request = try largeUpload(server.url(), 30_000_000)
    request.stallTimeout = .milliseconds(200)
    let error = await #expect(throws: NetworkError.self) { try await client.send(request) }
    end.signal()
    #expect(error?.kind == .timeout)
    #expect(error?.message == "127.0.0.1:\(server.port): nothing has moved for 1 s")
  }

  @Test("that is taken slowly goes on, even when nothing is left to hand to the system")
  func slow() async throws {
    let server = LoopbackServer { peer in
      guard peer.read(through: Array("\r\n\r\n".utf8)) != nil else { return }
      // Longer than `timeout`, and than `stallTimeout` after the last byte was handed over.
      var rest = 3_000_000 - peer.read().count
      while rest > 0 {
        usleep(40_000)
        let more = peer.read()
        if more.isEmpty { return }
        rest -= more.count
      }
      peer.respond("200 OK", "all")
    }
    var request = try largeUpload(server.url(), 3_000_000)
    request.timeout = .milliseconds(100)
    request.stallTimeout = .seconds(1)
    #expect(try await client.send(request).body == Array("all".utf8))
  }

  @Test("is not sent again where a kept connection breaks")
  func once() async throws {
    let server = LoopbackServer { peer in
      var isFirst = true
      peer.serve { _ in
        if isFirst { peer.respond() } else { peer.close() }
        isFirst = false
      }
    }
    // Each takes a fresh connection: the kept one, which breaks at its second request, is left alone.
    for _ in 0..<3 {
      #expect(try await client.send(try upload("PUT", server.url(), 10)).status == 200)
    }
    #expect(server.accepted == 3)
  }

  @Test("gets the answer that comes before all of it was sent")
  func earlyAnswer() async throws {
    let server = LoopbackServer { peer in
      _ = peer.read(through: Array("\r\n\r\n".utf8))
      peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
      while !peer.read().isEmpty {}
    }
    let response = try await client.send(try largeUpload(server.url(), 20_000_000))
    #expect(response.status == 413)
    #expect(response.body == Array("big".utf8))
  }

  @Test("and one in memory are one too many")
  func two() async throws {
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond() } }
    var request = try upload("PUT", server.url(), 10)
    request.body = [1]
    await #expect(throws: NetworkError.self) { try await client.send(request) }
    #expect(server.accepted == 0)
  }
}
