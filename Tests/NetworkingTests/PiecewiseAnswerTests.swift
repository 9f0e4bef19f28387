import Glibc
import Platform
import Testing

@testable import Networking

/// An answer that is handed on piece by piece.
@Suite("An answer in pieces", .timeLimit(.minutes(1))) struct PiecewiseAnswerTests {
  private let network: Network
  private let client: any HTTPTransport
  /// What was handed on.
  private let taken = Guarded<[UInt8]>([])

  init() throws {
    network = try Network()
    client = network.client()
  }

  private func request(
    _ server: LoopbackServer, limit: Int = 1_000, stall: Duration = .seconds(30),
    until end: String = "end"
  ) -> HTTPRequest {
    var request = HTTPRequest("GET", server.url("/stream?auth=hidden"), answerLimit: limit)
    request.stallTimeout = stall
    request.takesPiece = { [taken] piece in
      taken.withLock { taken in
        taken += piece
        return !String(decoding: taken, as: UTF8.self).contains(end)
      }
    }
    return request
  }

  private var text: String { String(decoding: taken.withLock { $0 }, as: UTF8.self) }

  @Test("is taken as it comes, long before it ends")
  func asItComes() async throws {
    let taken = taken
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\none ")
      // The next piece goes out only when the one before has arrived.
      for piece in ["two ", "three "] {
        while !taken.withLock({ $0.last == UInt8(ascii: " ") }) { usleep(1_000) }
        taken.withLock { $0.append(UInt8(ascii: "|")) }
        peer.send(piece)
      }
    }
    let response = try await client.send(request(server))
    #expect(text == "one |two |three ")
    #expect(response.status == 200)
    #expect(response.body.isEmpty)
    #expect(response[field: "content-type"] == "text/event-stream")
  }

  @Test("ends where the one who takes it has enough, and the connection with it")
  func enough() async throws {
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 200 OK\r\n\r\nto the end, and further")
      _ = peer.read()
    }
    let response = try await client.send(request(server))
    #expect(response.status == 200)
    #expect(text.hasPrefix("to the end"))
    #expect(await eventually { server.open == 0 })
  }

  @Test("comes in chunks all the same")
  func chunks() async throws {
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      for piece in ["abc", "de"] { peer.send("\(piece.utf8.count)\r\n\(piece)\r\n") }
      peer.send("0\r\n\r\n")
    }
    let response = try await client.send(request(server))
    #expect(response.isSuccess)
    #expect(text == "abcde")
  }

  @Test("is a whole one in memory where it is a refusal", arguments: [204, 307, 401, 503])
  func refusal(status: Int) async throws {
    let server = LoopbackServer { peer in
      peer.serve { _ in peer.respond("\(status) Sorry", status == 204 ? "" : "no") }
    }
    let response = try await client.send(request(server))
    #expect(response.status == status)
    #expect(response.body == (status == 204 ? [] : Array("no".utf8)))
    #expect(text.isEmpty)
  }

  @Test("may have so many bytes in all, and no more")
  func tooLarge() async throws {
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 200 OK\r\n\r\n")
      while peer.send(String(repeating: "x", count: 100)) {}
    }
    let error = await #expect(throws: NetworkError.self) { try await client.send(request(server)) }
    #expect(error?.kind == .tooLarge)
    #expect(error?.message.contains("1000 bytes") == true)
    #expect(taken.withLock { $0.count } <= 1_000)
    #expect(await eventually { server.open == 0 })
  }

  @Test("may be silent for so long, and no longer")
  func silent() async throws {
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 200 OK\r\n\r\n")
      for _ in 0..<4 {
        peer.send("x")
        usleep(120_000)
      }
      _ = peer.read()
    }
    let request = request(server, stall: .milliseconds(300))
    let error = await #expect(throws: NetworkError.self) { try await client.send(request) }
    #expect(error?.kind == .timeout)
    #expect(error?.message.contains("hidden") == false)
    #expect(text == "xxxx", "longer than the limit in all")
  }

  @Test("ends with its task")
  func cancelled() async throws {
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      peer.send("HTTP/1.1 200 OK\r\n\r\nabc")
      _ = peer.read()
    }
    let request = request(server)
    let task = Task { [client] in try await client.send(request) }
    #expect(await eventually { text == "abc" })
    task.cancel()
    let error = await #expect(throws: NetworkError.self) { try await task.value }
    #expect(error?.kind == .cancelled)
    #expect(await eventually { server.open == 0 })
  }

  @Test("cannot go to a file at the same time")
  func twoWays() async throws {
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond() } }
    var request = request(server)
    request.answerFile = "/nowhere/at/all"
    let error = await #expect(throws: NetworkError.self) { try await client.send(request) }
    #expect(error?.kind == .other)
    #expect(server.accepted == 0)
  }
}
