import ConnectorKit
import JSON
import Networking
import Platform
import Testing

@testable import ReachRelay

@Suite("Reach failures") struct RelaySessionFailureTests {
  private static let down = RelayAnswer.unreachable(.connect, "relay: no connection")

  private static func gaps(
    _ endpoint: RelayEndpoint, _ calls: [(endpoint: RelayEndpoint, at: Double)]
  ) -> [Double] {
    let times = calls.filter { $0.endpoint == endpoint }.map(\.at)
    return zip(times.dropFirst(), times).map { $0 - $1 }
  }

  @Test("Failures are repeated after 1, 2, 4 … 60 s times a random number")
  func backoff() {
    for failure in [RelayAnswer.failed(status: 500), .redirected(host: "h"), Self.down] {
      var whole = SessionHarness(random: 1)
      let calls = whole.run(until: 240) { _ in failure }
      #expect(Self.gaps(.heartbeat, calls).prefix(8) == [1, 2, 4, 8, 16, 32, 60, 60])
      var half = SessionHarness(random: 0.5)
      let sooner = half.run(until: 60) { _ in failure }
      #expect(Self.gaps(.heartbeat, sooner).prefix(4) == [0.5, 1, 2, 4])
    }
  }

  @Test("A heartbeat that the relay answers with 500 does not hold the reports up")
  func independent() {
    var harness = SessionHarness(.ready("printing"))
    let calls = harness.run(until: 40) { call in
      call.endpoint == .heartbeat ? .failed(status: 500) : .accepted([:])
    }
    #expect(Self.gaps(.telemetry, calls) == [10, 10, 10, 10])
    #expect(harness.healths.first.map { if case .degraded = $0 { true } else { false } } == true)
  }

  @Test("Reports that fail do not hold the heartbeats up")
  func independentReports() {
    var harness = SessionHarness(.ready("printing"))
    let calls = harness.run(until: 95) { call in
      call.endpoint == .telemetry ? .failed(status: 500) : .accepted([:])
    }
    #expect(Self.gaps(.heartbeat, calls) == [30, 30, 30])
  }

  @Test("After an outage a heartbeat goes first, a report at once behind it")
  func linkBack() {
    var harness = SessionHarness(.ready("printing"))
    var order: [RelayEndpoint] = []
    _ = harness.run(until: 200) { call in
      if call.seconds > 25, call.seconds < 120 { return Self.down }
      if call.seconds >= 120, order.count < 2 { order.append(call.endpoint) }
      return .accepted([:])
    }
    #expect(order == [.heartbeat, .telemetry])
  }

  @Test("A heartbeat that never gets an answer does not silence the reports for good")
  func hangingHeartbeat() {
    var harness = SessionHarness(.ready("printing"))
    let calls = harness.run(until: 300) { call in
      call.endpoint == .heartbeat ? .unreachable(.timeout, "too slow") : .accepted([:])
    }
    #expect(calls.filter { $0.endpoint == .telemetry }.count >= 4)
  }

  @Test("Retry-After holds all calls of this backend, and the heartbeat goes first then")
  func retryAfter() {
    var harness = SessionHarness(.ready("printing"))
    var hasAsked = false
    let calls = harness.run(until: 60) { call in
      guard call.endpoint == .heartbeat, call.seconds >= 30, !hasAsked else {
        return .accepted([:])
      }
      hasAsked = true
      return .wait(status: 429, .seconds(25))
    }
    let late = calls.filter { $0.at > 30 }
    #expect(late.allSatisfy { $0.at >= 55 })
    #expect(late.map(\.endpoint).prefix(2) == [.heartbeat, .telemetry])
  }

  @Test("A printer that the relay does not know calls ever less often, five minutes at most")
  func forbidden() {
    var harness = SessionHarness(.ready("printing"), random: 1)
    let calls = harness.run(until: 1_500) { _ in .forbidden(status: 404, "status 404") }
    #expect(calls.allSatisfy { $0.endpoint == .heartbeat || $0.at >= 10 })
    #expect(Self.gaps(.heartbeat, calls).max() == 300)
    #expect(calls.count < 30)
    #expect(
      harness.healths == [
        .degraded(
          problem: "relay refuses this printer (status 404)",
          remedy: "check in the dashboard that the printer still exists")
      ])
  }

  @Test("What the relay does not take is not repeated before the next one is due")
  func refused() {
    var harness = SessionHarness(.ready("printing"))
    let calls = harness.run(until: 35) { call in
      call.endpoint == .telemetry ? .refused(status: 409, "status 409") : .accepted([:])
    }
    #expect(Self.gaps(.telemetry, calls) == [10, 10, 10])
  }

  @Test("One failure that the next attempt mends is no state worth showing")
  func passing() {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, .accepted([:]))
    harness.answer(.telemetry, .failed(status: 500))
    harness.moveToNextDue()
    harness.answer(.telemetry, .accepted([:]))
    #expect(harness.healths == [.online])
    harness.move(to: 40)
    harness.answer(.heartbeat, .accepted([:]))
    harness.answer(.telemetry, .failed(status: 500))
    harness.moveToNextDue()
    harness.answer(.telemetry, .failed(status: 500))
    harness.moveToNextDue()
    harness.answer(.telemetry, .accepted([:]))
    #expect(harness.healths.count == 3)
    #expect(harness.healths.last == .online)
  }

  @Test("Failures are logged at the 1st, 2nd, 4th, 8th … time, and the end of them once")
  func logging() {
    var harness = SessionHarness()
    _ = harness.run(until: 600) { $0.seconds < 500 ? Self.down : .accepted([:]) }
    let lines = harness.lines.filter { $0.hasPrefix("heartbeat: relay: no connection") }
    #expect(lines.count == 4)
    #expect(lines[1].contains("(2 times)"))
    #expect(lines[3].contains("(8 times)"))
    #expect(harness.lines.filter { $0 == "heartbeat: relay accepts it again" }.count == 1)
  }
}
