import ConnectorHost
import ConnectorKit
import Platform
import TestSupport
import Testing

@Suite("Backend supervisor") struct SupervisionSupervisorTests {
  private let time = ManualTime()
  private let sink = RecordingSink()

  private func supervisor(
    predecessor: BackendSupervisor? = nil, body: @escaping BackendSupervisor.Body
  ) -> BackendSupervisor {
    BackendSupervisor(
      time: time, log: Log(label: "b", sink: sink), random: { 0.5 }, predecessor: predecessor,
      body: body)
  }

  @Test("A backend that throws is started again after its back-off")
  func startsAgain() async {
    let starts = Counter()
    let supervisor = supervisor { report in
      if starts.increment() < 3 { throw BackendFailure(.retry(after: nil), "no answer") }
      report(.online)
      try await forever()
    }
    supervisor.start()
    let begin = time.now
    await time.advanceToNextDeadline()
    #expect(begin.duration(to: time.now) == .milliseconds(500))
    await time.advanceToNextDeadline()
    #expect(begin.duration(to: time.now) == .milliseconds(1_500))
    await until { supervisor.standing.state == .online }
    #expect(supervisor.standing.restarts == 2)
    await supervisor.stop()
    #expect(supervisor.standing.state == .stopped)
    #expect(supervisor.isGone)
    #expect(sink.lines.contains("warning b backing off: no answer; next try in 0 s"))
    #expect(time.deadlines.isEmpty)
  }

  @Test("A parked backend stays parked and can be started by a person")
  func parks() async {
    let starts = Counter()
    let supervisor = supervisor { _ in
      _ = starts.increment()
      throw BackendFailure(.park, "wrong code", remedy: "get a new one")
    }
    supervisor.start()
    let parked = BackendState.parked(problem: "wrong code", remedy: "get a new one")
    await until { supervisor.standing.state == parked }
    #expect(time.deadlines.isEmpty)
    #expect(sink.lines.contains("error b parked: wrong code; get a new one"))
    supervisor.start()
    await until { starts.value == 2 && supervisor.standing.state == parked }
    await supervisor.stop()
  }

  @Test("What an ended run still reports does not count")
  func lateReports() async throws {
    let kept = Guarded<(@Sendable (BackendHealth) -> Void)?>(nil)
    let supervisor = supervisor { report in
      kept.withLock { $0 = report }
      throw BackendFailure(.park, "p")
    }
    supervisor.start()
    await until { supervisor.standing.state == .parked(problem: "p", remedy: "") }
    let late = try #require(kept.withLock { $0 })
    late(.online)
    #expect(supervisor.standing.state == .parked(problem: "p", remedy: ""))
  }

  @Test(
    "A backend that ignores its cancellation is left behind, and its successor waits for its end")
  func leavesBehind() async {
    let gate = Gate()
    let stubborn = supervisor { report in
      report(.online)
      await gate.wait()
    }
    stubborn.start()
    await until { stubborn.standing.state == .online }
    let successor = supervisor(predecessor: stubborn) { report in
      report(.online)
      try await forever()
    }
    stubborn.requestStop()
    successor.start()
    await time.advanceToNextDeadline()
    await until { stubborn.standing.state == .stopped }
    #expect(!stubborn.isGone)
    await until { if case .parked = successor.standing.state { true } else { false } }
    #expect(
      sink.lines.contains(
        "error b does not end although it was cancelled; it is left behind and not started again"))
    gate.open()
    await until { successor.standing.state == .online }
    #expect(stubborn.isGone)
    #expect(successor.standing.restarts == 1)
    await successor.stop()
  }

  @Test("A back-off ends at once when the backend is stopped")
  func stopsInBackoff() async {
    let supervisor = supervisor { _ in throw BackendFailure(.retry(after: .seconds(60)), "later") }
    supervisor.start()
    _ = await time.nextDeadline()
    await supervisor.stop()
    #expect(supervisor.standing.state == .stopped)
    await until { time.deadlines.isEmpty }
  }

  @Test("A flood of reports changes the state and leaves a handful of lines")
  func flood() async {
    let supervisor = supervisor { report in
      for number in 0..<5_000 {
        report(.degraded(problem: "\(number)", remedy: ""))
        report(.online)
      }
      try await forever()
    }
    supervisor.start()
    await until { sink.lines.count > 20 && supervisor.standing.state == .online }
    await supervisor.stop()
    #expect(sink.lines.count < 25)
    #expect(sink.lines.filter { $0.contains("too often") }.count == 1)
  }
}
