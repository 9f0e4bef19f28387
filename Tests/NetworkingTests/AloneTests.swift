import Foundation
import Networking
import Platform
import Testing

@Suite("In a process of its own") struct AloneTests {
  @Test("a client takes its proxy from the environment, but for exempt hosts")
  func environment() async throws {
    let lines = Guarded<[String]>([])
    let proxy = LoopbackServer { peer in
      peer.serve { request in
        lines.withLock { $0.append(request.line) }
        peer.respond("200 OK", "by proxy")
      }
    }
    try await Alone.run(
      "AloneChild/environment",
      environment: [
        "http_proxy": proxy.url(), "HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "exempt.invalid",
      ])
    #expect(lines.withLock { $0 } == ["GET http://cloud.test/ HTTP/1.1"])
  }

  @Test("nothing is left of networks, clients and connections that were let go")
  func leaks() async throws { try await Alone.run("AloneChild/leaks") }

  @Test("an idle network thread never wakes")
  func idle() async throws { try await Alone.run("AloneChild/idle") }
}

@Suite("Alone", .enabled(if: Alone.isChild)) struct AloneChild {
  @Test func environment() async throws {
    let network = try Network()
    let response = try await network.client().send(HTTPRequest("GET", "http://cloud.test/"))
    #expect(response.body == Array("by proxy".utf8))
    for (client, host) in [
      (network.client(), "exempt.invalid"),
      (network.client(settings: NetworkSettings(proxy: "")), "cloud.invalid"),
    ] {
      let error = await #expect(throws: NetworkError.self) {
        try await client.send(HTTPRequest("GET", "http://\(host)/"))
      }
      #expect(error?.kind == .nameLookup)
    }
  }

  @Test func leaks() async throws {
    let server = LoopbackServer { peer in
      while let request = peer.readRequest() {
        guard let key = request.field("Sec-WebSocket-Key") else {
          peer.respond("200 OK", "ok")
          continue
        }
        peer.send(
          "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(LoopbackPeer.acceptance(of: key))\r\n\r\n")
        return peer.echo()
      }
    }
    let path = "/tmp/networking-leak-\(getpid()).sock"
    let unix = LoopbackServer(path: path) { peer in
      while peer.send(peer.read()), !peer.read().isEmpty {}
    }
    func round() async throws {
      let network = try Network()
      let client = network.client()
      for _ in 0..<3 { _ = try await client.send(HTTPRequest("POST", server.url(), body: [1, 2])) }
      let hanging = Task { try await client.send(HTTPRequest("GET", "http://127.0.0.1:1/")) }
      hanging.cancel()
      _ = try? await hanging.value
      let connection = try await network.webSocket(server.url(scheme: "ws"))
      try await connection.send([UInt8](repeating: 65, count: 10_000))
      _ = try await connection.receive()
      let waiting = Task { try await connection.receive() }
      waiting.cancel()
      _ = try? await waiting.value
      let local = try await network.unixSocket(path)
      try await local.send([65])
    }
    for _ in 0..<30 { try await round() }
    #expect(await eventually { server.open == 0 && unix.open == 0 })
    let before = (sockets: Self.sockets, threads: Self.threads, memory: Self.residentBytes)
    for _ in 0..<200 { try await round() }
    #expect(await eventually { server.open == 0 && unix.open == 0 })
    #expect(await eventually { Self.threads <= before.threads + 1 })
    #expect(await eventually { Self.sockets <= before.sockets })
    // 200 rounds; a handle lost in each would be 2 MB and more. Sanitizers keep what was freed.
    let growth = Self.residentBytes - before.memory
    if !Self.isSanitized { #expect(growth < 1_500_000, "\(growth)") }
  }

  @Test func idle() async throws {
    let server = LoopbackServer { peer in
      while let request = peer.readRequest() {
        guard let key = request.field("Sec-WebSocket-Key") else {
          peer.respond()
          continue
        }
        peer.send(
          "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(LoopbackPeer.acceptance(of: key))\r\n\r\n")
        return peer.echo()
      }
    }
    let network = try Network()
    let client = network.client()
    _ = try await client.send(HTTPRequest("GET", server.url()))
    let connection = try await network.webSocket(server.url(scheme: "ws"))
    try await connection.send([65])
    _ = try await connection.receive()
    // What was asked for settles first.
    var before = 0
    while before == 0 || before != Self.wakeUps {
      before = Self.wakeUps
      try await Task.sleep(for: .milliseconds(20))
    }
    try await Task.sleep(for: .milliseconds(90))
    #expect(Self.wakeUps == before)
    _ = try await client.send(HTTPRequest("GET", server.url()))
    #expect(await eventually { Self.wakeUps > before })
    connection.close()
  }

  private static var isSanitized: Bool {
    dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil
  }

  /// How often the network thread has gone to sleep and been woken.
  static var wakeUps: Int {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    for task in tasks {
      let folder = "/proc/self/task/\(task)"
      guard (try? String(contentsOfFile: "\(folder)/comm", encoding: .utf8)) == "network\n",
        let status = try? String(contentsOfFile: "\(folder)/status", encoding: .utf8)
      else { continue }
      return value("voluntary_ctxt_switches:", in: status)
    }
    return 0
  }

  /// How many descriptors are sockets; libcurl's wake-up is a pair of them.
  static var sockets: Int {
    let folder = "/proc/self/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.count { name in
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
      return target?.hasPrefix("socket:") ?? false
    }
  }

  static var threads: Int { value("Threads:", in: status) }

  static var residentBytes: Int { value("VmRSS:", in: status) * 1_024 }

  private static var status: String {
    (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  }

  private static func value(_ key: String, in text: String) -> Int {
    for line in text.split(separator: "\n") where line.hasPrefix(key) {
      return Int(line.dropFirst(key.count).filter(\.isNumber)) ?? 0
    }
    return 0
  }
}
