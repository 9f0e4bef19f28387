import Foundation
import Networking
import Platform
import Testing

@Suite("Cancelling a request") struct CancellationTests {
  let network: Network

  init() throws { network = try Network() }

  @Test("closes the transfer at once")
  func closes() async throws {
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      _ = peer.read()
    }
    let client = network.client()
    let task = Task {
      try await client.send(HTTPRequest("GET", server.url(), timeout: .seconds(30)))
    }
    #expect(await eventually { server.open == 1 })
    let start = ContinuousClock.now
    task.cancel()
    let error = await #expect(throws: NetworkError.self) { try await task.value }
    #expect(error?.kind == .cancelled)
    #expect(await eventually { server.open == 0 })
    #expect(start.duration(to: .now) < .seconds(5))  // of 30
  }

  @Test("before it starts sends nothing")
  func early() async throws {
    let server = LoopbackServer { peer in peer.serve { _ in peer.respond() } }
    let client = network.client()
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await client.send(HTTPRequest("GET", server.url()))
    }
    task.cancel()
    let error = await #expect(throws: NetworkError.self) { try await task.value }
    #expect(error?.kind == .cancelled)
    #expect(server.accepted == 0)
  }

  @Test("by shutting the network down fails what runs, and all that comes after")
  func shutdown() async throws {
    let server = LoopbackServer { peer in
      _ = peer.readRequest()
      _ = peer.read()
    }
    let client = network.client()
    let tasks = (0..<10).map { _ in
      Task { try await client.send(HTTPRequest("GET", server.url(), timeout: .seconds(30))) }
    }
    #expect(await eventually { server.open == 10 })
    network.shutdown()
    network.shutdown()
    for task in tasks {
      let error = await #expect(throws: NetworkError.self) { try await task.value }
      #expect(error?.kind == .cancelled)
    }
    let error = await #expect(throws: NetworkError.self) {
      try await client.send(HTTPRequest("GET", server.url()))
    }
    #expect(error?.kind == .cancelled)
    #expect(await eventually { server.open == 0 })
  }
}
