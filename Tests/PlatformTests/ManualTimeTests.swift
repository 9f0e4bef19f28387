import Platform
import TestSupport
import Testing

@Suite("Manual time") struct ManualTimeTests {
  let time = ManualTime()

  @Test("Nobody wakes before the clock is moved to the deadline", .timeLimit(.minutes(1)))
  func handshake() async throws {
    let start = time.now
    let log = Guarded<[Int]>([])
    await withTaskGroup(of: Void.self) { group in
      for seconds in [3, 1, 2] {
        group.addTask {
          try? await time.sleep(for: .seconds(seconds))
          log.withLock { $0.append(seconds) }
        }
      }
      await time.sleepers(atLeast: 3)
      #expect(time.deadlines == [1, 2, 3].map { start.advanced(by: .seconds($0)) })
      time.advance(by: .milliseconds(999))
      #expect(time.deadlines.count == 3)
      for count in 1...3 {
        await time.advanceToNextDeadline()
        while log.withLock({ $0.count }) < count { await Task.yield() }
      }
    }
    #expect(log.withLock { $0 } == [1, 2, 3])
    #expect(start.duration(to: time.now) == .seconds(3))
  }

  @Test("The wall clock goes with the monotonic one, and can be shifted alone")
  func wallClock() {
    let wall = time.wallTime
    time.advance(by: .milliseconds(1_500))
    #expect(wall.duration(to: time.wallTime) == .milliseconds(1_500))
    let now = time.now
    time.shiftWallClock(by: .seconds(-60))
    #expect(wall.duration(to: time.wallTime) == .milliseconds(-58_500))
    #expect(time.now == now)
  }

  @Test("Cancellation ends a sleeper, also when it races with an advance", .timeLimit(.minutes(1)))
  func cancellation() async {
    for round in 0..<500 {
      let sleeper = Task { try await time.sleep(for: .seconds(1)) }
      if round % 2 == 0 { await time.sleepers(atLeast: 1) }
      async let advancing: Void = time.advance(by: .seconds(1))
      sleeper.cancel()
      _ = await (sleeper.result, advancing)
    }
    #expect(time.deadlines.isEmpty)
  }

  @Test("Two observers of the next deadline are both told", .timeLimit(.minutes(1)))
  func observers() async {
    async let first = time.nextDeadline()
    async let second = time.nextDeadline()
    let sleeper = Task { try await time.sleep(for: .seconds(9)) }
    let told = await (first, second)
    #expect(told.0 == told.1)
    sleeper.cancel()
    _ = await sleeper.result
  }
}
