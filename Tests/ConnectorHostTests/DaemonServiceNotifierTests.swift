import Foundation
import Platform
import TestSupport
import Testing

@testable import ConnectorHost

@Suite("Service manager") struct DaemonServiceNotifierTests {
  @Test("The service manager hears of readiness, reload and the end")
  func messages() throws {
    try withFolder { folder in
      let socket = try Receiver(folder + "/notify")
      let notifier = ServiceNotifier(
        environment: ["NOTIFY_SOCKET": socket.path], process: 7, time: ManualTime())
      notifier.ready("serving a, b")
      notifier.reloading()
      notifier.stopping()
      #expect(socket.receive() == "READY=1\nSTATUS=serving a, b")
      let before = HostInformation.awakeTime
      let stamp = socket.receive().split(separator: "=").last.flatMap { Int64($0) }
      // Sent before we looked, and not a minute ago.
      let sent = Duration.microseconds(try #require(stamp))
      #expect(sent <= before && sent > before - .seconds(60))
      #expect(socket.receive() == "STOPPING=1\nSTATUS=stopping")
    }
  }

  @Test("Signs of life come at half the watchdog's time")
  func watchdog() async throws {
    try await withFolder { folder in
      let socket = try Receiver(folder + "/notify")
      let time = ManualTime()
      let notifier = ServiceNotifier(
        environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "30000000"], process: 7,
        time: time)
      let begin = time.now
      let task = Task { await notifier.keepWatchdogQuiet() }
      #expect(await time.nextDeadline() == begin.advanced(by: .seconds(15)))
      #expect(socket.receive() == "WATCHDOG=1")
      await time.advanceToNextDeadline()
      #expect(await time.nextDeadline() == begin.advanced(by: .seconds(30)))
      #expect(socket.receive() == "WATCHDOG=1")
      task.cancel()
      await task.value
    }
  }

  @Test(
    "Without a watchdog, or with another process's, there is none",
    arguments: [
      [:], ["WATCHDOG_USEC": "0"], ["WATCHDOG_USEC": "x"],
      ["WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "8"],
    ])
  func noWatchdog(environment: [String: String]) async {
    let notifier = ServiceNotifier(
      environment: environment.merging(["NOTIFY_SOCKET": "@nobody"]) { $1 }, process: 7,
      time: ManualTime())
    #expect(notifier.watchdogInterval == nil)
    await notifier.keepWatchdogQuiet()
  }

  @Test("A service manager that is not there does not matter")
  func nobody() {
    let notifier = ServiceNotifier(
      environment: ["NOTIFY_SOCKET": "/nowhere/at/all"], process: 7, time: ManualTime())
    notifier.ready("x")
    #expect(throws: PlatformError.self) { try LocalDatagram.send([1], to: "/nowhere/at/all") }
    #expect(throws: PlatformError.self) {
      try LocalDatagram.send([1], to: String(repeating: "x", count: 200))
    }
  }
}

/// A datagram socket, as a service manager has one.
private final class Receiver {
  let path: String
  private let descriptor: Int32

  init(_ path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
  }

  deinit { close(descriptor) }

  func receive() -> String {
    var buffer = [UInt8](repeating: 0, count: 1_000)
    let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }
}
