import ConnectorKit
import Platform
import TestSupport
import Testing

@Suite("Nudge", .timeLimit(.minutes(1))) struct NudgeTests {
  @Test("Without a nudge a wait lasts until its deadline")
  func deadline() async throws {
    let time = ManualTime()
    let waiter = Nudge().waiter(time)
    let deadline = time.now.advanced(by: .seconds(5))
    let wait = Task {
      try await waiter.wait(until: deadline)
      return time.now
    }
    #expect(await time.nextDeadline() == deadline)
    time.advance(to: deadline)
    #expect(try await wait.value == deadline)
  }

  @Test("A nudge ends a wait, or spares the next one, and only that")
  func nudged() async throws {
    let time = ManualTime()
    let nudge = Nudge()
    let waiter = nudge.waiter(time)
    let start = time.now
    let deadline = start.advanced(by: .seconds(5))
    let wait = Task { try await waiter.wait(until: deadline) }
    await time.sleepers(atLeast: 1)
    nudge.send()
    try await wait.value
    #expect(time.now == start && time.deadlines.isEmpty)

    nudge.send()
    nudge.send()
    try await waiter.wait(until: deadline)
    #expect(time.now == start)
    let last = Task { try await waiter.wait(until: deadline) }
    await time.advanceToNextDeadline()
    try await last.value
    #expect(time.now == deadline)
  }

  @Test("A cancelled wait throws, with nothing left")
  func cancelled() async {
    let time = ManualTime()
    let waiter = Nudge().waiter(time)
    let wait = Task { try await waiter.wait(until: time.now.advanced(by: .seconds(5))) }
    await time.sleepers(atLeast: 1)
    wait.cancel()
    await #expect(throws: CancellationError.self) { try await wait.value }
    #expect(time.deadlines.isEmpty)
  }
}
