import ConnectorHost
import ConnectorKit
import Foundation
import Networking
import Platform
import TestSupport
import Testing

@Suite("Conformance: a far side that swallows everything") struct ConformanceBlackHoleTests {
  @Test(
    "Cancelled in the middle of a connect or a request, a backend ends soon",
    arguments: Specimen.all, [true, false])
  func cancel(specimen: Specimen, whileConnecting: Bool) async throws {
    try await withFolder { folder in
      let hole = try BlackHole(isFull: whileConnecting)
      let network = try Network()
      defer { network.shutdown() }
      let counting = CountingTransport(base: network.client(settings: NetworkSettings(proxy: "")))
      let habitat = Habitat(transport: counting)
      let settings = try specimen.settings(origin: "http://127.0.0.1:\(hole.port)", in: folder)
      let supervisor = habitat.supervisor(specimen, settings)
      supervisor.start()
      await until { counting.underWay.value > 0 || specimen.descriptor.isInbound }
      let begin = ContinuousClock.now
      supervisor.requestStop()
      await untilGone(supervisor, habitat.time)
      #expect(begin.duration(to: .now) < .seconds(3))
      #expect(habitat.time.deadlines.isEmpty)
    }
  }
}

/// Counts the requests that were handed on.
private struct CountingTransport: HTTPTransport {
  let base: any HTTPTransport
  let underWay = Counter()
  func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
    underWay.increment()
    return try await base.send(request)
  }
}

/// A loopback port that takes connections and says nothing, or, when full, does not even take them.
private final class BlackHole {
  let port: Int
  private var descriptors: [Int32] = []

  init(isFull: Bool) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    descriptors.append(listener)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    func withAddress(_ body: (UnsafeMutablePointer<sockaddr>) -> Int32) -> Int32 {
      withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
      }
    }
    try #require(withAddress { bind(listener, $0, length) } == 0)
    try #require(listen(listener, isFull ? 0 : 16) == 0)
    try #require(withAddress { getsockname(listener, $0, &length) } == 0)
    port = Int(address.sin_port.bigEndian)
    guard isFull else { return }
    // With the queue full, the kernel drops whatever else wants to connect.
    for _ in 0..<4 {
      let client = socket(
        AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      descriptors.append(client)
      _ = withAddress { connect(client, $0, length) }
    }
  }

  deinit { for descriptor in descriptors { close(descriptor) } }
}
