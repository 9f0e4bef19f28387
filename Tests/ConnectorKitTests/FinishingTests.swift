import ConnectorKit
import Networking
import Platform
import TestSupport
import Testing

@Suite("What must be finished", .timeLimit(.minutes(1))) struct FinishingTests {
  private let bench = TestBench { _, _ throws(NetworkError) in throw NetworkError(.other, "") }

  @Test("It goes on through the caller's cancellation, and its result counts")
  func goesOn() async throws {
    let gate = Gate()
    let task = Task { [bench] in
      try await bench.context().finishing {
        await gate.wait()
        return Task.isCancelled ? "cancelled" : "finished"
      }
    }
    task.cancel()
    await bench.time.sleepers(atLeast: 1)
    gate.open()
    #expect(try await task.value == "finished")
    await until { bench.time.deadlines.isEmpty }
  }

  @Test("It is cancelled when it takes too long after the caller's cancellation, and no sooner")
  func isBounded() async throws {
    let task = Task { [bench] in
      try await bench.context().finishing(within: .seconds(2)) { try await forever() }
    }
    task.cancel()
    await bench.time.sleepers(atLeast: 1)
    #expect(bench.time.deadlines == [bench.time.now.advanced(by: .seconds(2))])
    bench.time.advance(by: .seconds(2))
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("What it throws is thrown")
  func throwing() async throws {
    await #expect(throws: BackendFailure.self) {
      try await bench.context().finishing { throw BackendFailure(.park, "no") }
    }
  }
}
