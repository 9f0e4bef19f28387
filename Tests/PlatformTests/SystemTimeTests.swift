import Foundation
import Testing

@testable import Platform

@Suite("System time", .serialized, .timeLimit(.minutes(2))) struct SystemTimeTests {
  // One of our own: the shared one's counters move with other suites' sleepers.
  static let ownTime = SystemTime()
  var time: SystemTime { Self.ownTime }

  @Test("The clocks agree with the system's")
  func clocks() {
    let wall = time.wallTime.millisecondsSinceEpoch
    #expect(abs(Double(wall) / 1000 - Date().timeIntervalSince1970) < 1)
    let first = time.now
    let second = time.now
    #expect(first <= second)
  }

  @Test("A sleeper wakes at its deadline, never before")
  func wakes() async throws {
    let deadline = time.now.advanced(by: .milliseconds(30))
    try await time.sleep(until: deadline)
    #expect(deadline <= time.now)
  }

  @Test("A deadline that has passed returns at once")
  func past() async throws {
    let before = time.wakeUps
    try await time.sleep(until: time.now)
    try await time.sleep(until: MonotonicInstant(sinceOrigin: .seconds(-5)))
    #expect(time.wakeUps == before)
  }

  @Test("Five thousand sleepers wake, each in time, in far fewer wake-ups of the timer")
  func many() async throws {
    let before = time.wakeUps
    let start = time.now
    try await withThrowingTaskGroup(of: Duration.self) { group in
      for index in 0..<5_000 {
        let deadline = start.advanced(by: .milliseconds(300 + (index * 7919) % 20 * 10))
        group.addTask { [time = time] in
          try await time.sleep(until: deadline)
          return deadline.duration(to: time.now)
        }
      }
      for try await late in group { #expect(late >= .zero) }
    }
    #expect(time.wakeUps - before < 1_000)
  }

  @Test("A cancelled sleeper ends at once and leaves nothing behind")
  func cancellation() async throws {
    let task = Task { [time = time] in try await time.sleep(for: .seconds(3_600)) }
    while time.sleeperCount == 0 { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(time.sleeperCount == 0)
  }

  @Test("A task that is cancelled before it sleeps does not sleep")
  func cancelledBefore() async {
    let task = Task { [time = time] in
      while !Task.isCancelled { await Task.yield() }
      try await time.sleep(for: .seconds(3_600))
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("Cancellations that race with the timer end each sleeper exactly once")
  func races() async {
    let ended = await withTaskGroup(of: Bool.self) { group in
      for round in 0..<2_000 {
        let sleeper = Task { [time = time] in
          try await time.sleep(for: .microseconds(Int64(round % 50) * 20))
        }
        group.addTask {
          if round % 3 != 0 { await Task.yield() }
          sleeper.cancel()
          _ = await sleeper.result
          return true
        }
      }
      var ended = 0
      for await one in group where one { ended += 1 }
      return ended
    }
    #expect(ended == 2_000)
    #expect(time.sleeperCount == 0)
  }

  @Test("The timer does not fire while nothing is due")
  func quiet() async throws {
    let long = Task { [time = time] in try await time.sleep(for: .seconds(3_600)) }
    while time.sleeperCount == 0 { await Task.yield() }
    let cancelled = Task { [time = time] in try await time.sleep(for: .milliseconds(50)) }
    while time.sleeperCount < 2 { await Task.yield() }
    cancelled.cancel()
    _ = await cancelled.result
    let before = time.wakeUps
    _ = try await offload { usleep(120_000) }
    #expect(time.wakeUps == before)
    long.cancel()
    _ = await long.result
  }

  @Test("A later, earlier deadline moves the timer forward")
  func rearm() async throws {
    let long = Task { [time = time] in try await time.sleep(for: .seconds(3_600)) }
    while time.sleeperCount == 0 { await Task.yield() }
    // It would take the hour, and the suite its time limit, if the timer stayed where it was.
    try await time.sleep(for: .milliseconds(20))
    #expect(time.sleeperCount == 1)
    long.cancel()
    _ = await long.result
  }
}
