import Foundation
import Platform
import Testing

@Suite("Host information and environment") struct HostTests {
  @Test("Name and machine are the system's")
  func names() {
    #expect(HostInformation.hostName == ProcessInfo.processInfo.hostName)
    #if arch(x86_64)
      #expect(HostInformation.machine == "x86_64")
    #elseif arch(arm64)
      #expect(HostInformation.machine == "aarch64")
    #endif
  }

  @Test("The first address is numeric and not loopback, where there is one")
  func address() {
    guard let address = HostInformation.firstIPv4Address else { return }
    var parsed = in_addr()
    #expect(inet_pton(AF_INET, address, &parsed) == 1)
    #expect(!address.hasPrefix("127."))
  }

  @Test("Loopback is reached from loopback; a name is no address")
  func localAddress() {
    #expect(HostInformation.localAddress(toReach: "127.0.0.1") == "127.0.0.1")
    #expect(HostInformation.localAddress(toReach: "localhost") == nil)
    #expect(HostInformation.localAddress(toReach: "") == nil)
    if let own = HostInformation.localAddress(toReach: "::1") { #expect(own == "::1") }
  }

  @Test("The environment is a copy of the process's")
  func environment() {
    setenv("PLATFORM_TEST_VARIABLE", "a=b", 1)
    #expect(Environment.variables["PLATFORM_TEST_VARIABLE"] == "a=b")
    unsetenv("PLATFORM_TEST_VARIABLE")
    #expect(Environment.variables["PLATFORM_TEST_VARIABLE"] == nil)
    #expect(Environment.variables["PATH"] == ProcessInfo.processInfo.environment["PATH"])
  }
}

@Suite("Instance lock") struct InstanceLockTests {
  @Test("The second one is refused and told who holds it; afterwards the lock is free")
  func exclusive() throws {
    let path = NSTemporaryDirectory() + "/lock-\(UUID().uuidString)"
    defer { unlink(path) }
    var first: InstanceLock? = try InstanceLock(path: path)
    #expect(throws: InstanceLock.Failure.held(byProcess: getpid())) {
      try InstanceLock(path: path)
    }
    #expect(try Files.information(path)?.mode == 0o600)
    withExtendedLifetime(first) {}
    first = nil
    first = try InstanceLock(path: path)
    withExtendedLifetime(first) {}
  }

  @Test("A holder that wrote nothing readable is not named")
  func unnamed() throws {
    let path = NSTemporaryDirectory() + "/lock-\(UUID().uuidString)"
    defer { unlink(path) }
    let lock = try InstanceLock(path: path)
    try Data("garbage".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: InstanceLock.Failure.held(byProcess: nil)) { try InstanceLock(path: path) }
    withExtendedLifetime(lock) {}
  }

  @Test("A path that cannot be opened is a failure of the system")
  func unreachable() {
    #expect(
      throws: InstanceLock.Failure.system(
        PlatformError(operation: "open", subject: "/none", errorNumber: ENOENT))
    ) { try InstanceLock(path: "/none/lock") }
  }
}

@Suite("Offload") struct OffloadTests {
  @Test("Blocking calls run beside each other, more of them than the cooperative pool has threads")
  func blocking() async throws {
    // Each call waits until all four are there: on the pool's two threads none would ever return.
    let arrived = Guarded(0)
    let met = try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<4 {
        group.addTask {
          try await offload {
            arrived.withLock { $0 += 1 }
            for _ in 0..<3_000 where arrived.withLock({ $0 }) < 4 { _ = usleep(10_000) }
            return arrived.withLock { $0 } == 4
          }
        }
      }
      return try await group.reduce(true) { $0 && $1 }
    }
    #expect(met)
  }

  @Test("Results and errors come back, for a thousand calls at once")
  func results() async throws {
    let sum = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<1_000 { group.addTask { try await offload { number } } }
      return try await group.reduce(0, +)
    }
    #expect(sum == 499_500)
    await #expect(throws: CancellationError.self) {
      try await offload { throw CancellationError() }
    }
  }
}

@Suite("Guarded") struct GuardedTests {
  @Test("Many threads count without losing one")
  func counting() async {
    let counter = Guarded(0)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<50 { group.addTask { for _ in 0..<1_000 { counter.withLock { $0 += 1 } } } }
    }
    #expect(counter.withLock { $0 } == 50_000)
  }

  @Test("The lock is free again after an error")
  func throwing() {
    let value = Guarded(1)
    #expect(throws: CancellationError.self) {
      try value.withLock { _ in throw CancellationError() }
    }
    #expect(value.withLock { $0 } == 1)
  }
}
