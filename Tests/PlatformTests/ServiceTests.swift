import Foundation
import Platform
import Testing

@Suite("Service notifier") struct ServiceNotifierTests {
  @Test("Datagrams reach a socket by path and by abstract name", arguments: [false, true])
  func datagrams(isAbstract: Bool) throws {
    let name = "notify-\(UUID().uuidString.prefix(8))"
    let path = isAbstract ? "@" + name : NSTemporaryDirectory() + "/" + name
    let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    defer {
      close(receiver)
      unlink(path)
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    if isAbstract { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(2 + bytes.count + (isAbstract ? 0 : 1))
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(receiver, $0, length) }
    }
    try #require(bound == 0)

    let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": path])
    #expect(notifier.send(.ready))
    #expect(notifier.send(.status("2 backends\nonline")))
    #expect(receive(receiver) == "READY=1")
    #expect(receive(receiver) == "STATUS=2 backends online")
    #expect(notifier.send(.reloading))
    #expect(receive(receiver).hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
  }

  private func receive(_ socket: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }

  @Test(
    "Without a usable socket nothing is sent",
    arguments: [
      nil, "", "@", "relative", "/none/socket", "/" + String(repeating: "x", count: 200),
    ])
  func absent(socket: String?) {
    var environment: [String: String] = [:]
    environment["NOTIFY_SOCKET"] = socket
    #expect(!ServiceNotifier(environment: environment).send(.ready))
  }

  @Test("The watchdog's interval is half of what is allowed, for this process only")
  func watchdog() {
    func interval(_ variables: [String: String]) -> Duration? {
      ServiceNotifier(
        environment: variables.merging(["NOTIFY_SOCKET": "/run/x"]) { left, _ in left }
      ).watchdogInterval
    }
    #expect(interval(["WATCHDOG_USEC": "30000000"]) == .seconds(15))
    #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "\(getpid())"]) == .seconds(15))
    #expect(interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"]) == nil)
    #expect(interval(["WATCHDOG_USEC": "-1"]) == nil)
    #expect(interval(["WATCHDOG_USEC": "many"]) == nil)
    #expect(interval([:]) == nil)
  }
}

@Suite("Signals", .serialized) struct SignalsTests {
  @Test("Signals come as a sequence, and a broken pipe ends nothing", .timeLimit(.minutes(1)))
  func sequence() async throws {
    let signals = try Signals([.hangUp])
    var iterator = signals.makeAsyncIterator()
    kill(getpid(), SIGHUP)
    #expect(await iterator.next() == .hangUp)
    kill(getpid(), SIGPIPE)
    kill(getpid(), SIGHUP)
    #expect(await iterator.next() == .hangUp)
    withExtendedLifetime(signals) {}
  }

  @Test("A waiting reader ends when its task is cancelled", .timeLimit(.minutes(1)))
  func cancellation() async throws {
    let signals = try Signals([])
    let reader = Task { for await _ in signals {} }
    reader.cancel()
    await reader.value
  }
}
