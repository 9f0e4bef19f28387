import ConnectorKit
import JSON
import Networking
import Platform
import Testing

@testable import ReachRelay

@Suite("Reach: pulls and pushes") struct RelaySessionCommandTests {
  private static let command: JSONObject = [
    "command": ["requestId": "r1", "command": "printer.info", "params": ["__method": "GET"]]
  ]

  /// A session whose first heartbeat has been answered: a pull is out.
  private static func open() -> SessionHarness {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, .accepted([:]))
    harness.answer(.telemetry, .accepted([:]))
    return harness
  }

  private static func owed(
    _ id: String = "r1", _ harness: SessionHarness, within seconds: Double = 600
  ) -> RelaySession.Event {
    .owed(
      RelaySession.OwedResult(
        id: id, body: CommandResult.completed(id, ["result": "ok"]).body,
        expiresAt: harness.now.advanced(by: .seconds(seconds))))
  }

  // MARK: Pulls

  @Test("A heartbeat goes first, then a report and a pull")
  func first() {
    var harness = SessionHarness()
    harness.happen()
    #expect(harness.pulls.isEmpty)
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.openEndpoints == [.telemetry])
    #expect(harness.pulls.count == 1)
  }

  @Test("The next pull goes at once after a command, and after an answer that was held")
  func atOnce() {
    var harness = Self.open()
    harness.answerPull(.accepted(Self.command))
    #expect(harness.pulls.count == 1)
    #expect(
      harness.done.contains(
        .pulled(
          .command(RelayCommand(id: "r1", name: "printer.info", params: ["__method": "GET"])))))
    harness.move(to: 20)
    harness.answerPull(.accepted(["command": nil]))
    #expect(harness.pulls.count == 1)
    #expect(harness.pulls.first?.seconds == 20)
  }

  @Test("Empty answers that come early are followed by pauses of 1, 2, 4, 8, 16 and 25 s")
  func early() {
    var harness = Self.open()
    var pauses: [Double] = []
    for _ in 0..<8 {
      let answered = harness.seconds
      harness.answerPull(.accepted([:]))
      while harness.pulls.isEmpty {
        for call in harness.open { harness.answer(call.endpoint, .accepted([:])) }
        harness.moveToNextDue()
      }
      pauses.append(harness.seconds - answered)
    }
    #expect(pauses == [1, 2, 4, 8, 16, 25, 25, 25])
    harness.answerPull(.accepted(Self.command))
    harness.answerPull(.accepted([:]))
    #expect(harness.pulls.isEmpty)
    #expect(harness.session.due(.pull, harness.now) == harness.now.advanced(by: .seconds(1)))
  }

  @Test("What cannot be answered is dropped, with a pause of a second")
  func unanswerable() {
    var harness = Self.open()
    harness.answerPull(.accepted(["command": ["command": "printer.info"]]))
    #expect(harness.pulls.isEmpty)
    #expect(
      harness.lines == [
        "something that came as a command is dropped: it has no requestId that can be used"
      ])
    harness.move(to: 1)
    #expect(harness.pulls.count == 1)
  }

  @Test(
    "Failures are followed by pauses that grow, also those that another call would not repeat",
    arguments: [
      RelayAnswer.failed(status: 500), .unreadable, .refused(status: 400, "x"),
      .refused(status: 409, "x"), .redirected(host: "x"), .unreachable(.timeout, "x"),
    ])
  func failures(answer: RelayAnswer) {
    var harness = Self.open()
    for pause in [1.0, 2, 4] {
      harness.answerPull(answer)
      #expect(harness.pulls.isEmpty)
      #expect(
        harness.session.due(.pull, harness.now) == harness.now.advanced(by: .seconds(pause)))
      harness.move(to: harness.seconds + pause)
      #expect(harness.pulls.count == 1)
    }
  }

  @Test("A relay that asks to wait is not asked for commands meanwhile, nor told results")
  func waits() {
    var harness = Self.open()
    harness.answerPull(.wait(status: 429, .seconds(20)))
    harness.happen(Self.owed("r1", harness))
    harness.move(to: 19.9)
    #expect(harness.pulls.isEmpty && harness.open.isEmpty)
    harness.move(to: 20)
    #expect(harness.openEndpoints == [.push])
    #expect(harness.pulls.count == 1)
  }

  @Test("While the token is in doubt nothing is pulled and nothing pushed")
  func doubt() {
    var harness = Self.open()
    harness.happen(Self.owed("r1", harness))
    harness.answer(.push, .unauthorised("no"))
    harness.answerPull(.failed(status: 500))
    harness.move(to: 4.9)
    #expect(harness.pulls.isEmpty && harness.open.isEmpty)
    harness.move(to: 5)
    #expect(harness.openEndpoints == [.heartbeat])
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.openEndpoints.contains(.push))
    #expect(harness.pulls.count == 1)
  }

  @Test("A fourth refused call is the last one")
  func fourRefusals() {
    var harness = SessionHarness()
    harness.happen()
    harness.answer(.heartbeat, .accepted([:]))
    harness.happen(Self.owed("r1", harness))
    harness.move(to: 30)
    #expect(Set(harness.openEndpoints) == [.heartbeat, .telemetry, .push])
    harness.answer(.telemetry, .unauthorised("no"))
    harness.answer(.push, .unauthorised("no"))
    harness.answerPull(.unauthorised("no"))
    #expect(harness.parked == nil)
    harness.answer(.heartbeat, .unauthorised("no"))
    #expect(harness.parked == "relay has revoked this printer's token")
  }

  // MARK: Pushes

  @Test("A result is pushed until it is taken, with pauses of at most 30 s")
  func retries() {
    var harness = Self.open()
    harness.happen(Self.owed("r1", harness))
    var pauses: [Double] = []
    for _ in 0..<8 {
      let at = harness.seconds
      harness.answer(.push, .unreachable(.connect, "x"))
      let due = harness.session.due(.push, harness.now)
      pauses.append((due.sinceOrigin - harness.now.sinceOrigin) / .seconds(1))
      harness.move(to: at + (pauses.last ?? 0))
    }
    #expect(pauses == [1, 2, 4, 8, 16, 30, 30, 30])
    harness.answer(.push, .accepted([:]))
    #expect(harness.done.contains(.settle(.accept)))
    #expect(harness.open.filter { $0.endpoint == .push }.isEmpty)
    harness.happen(.settled)
    harness.happen(Self.owed("r2", harness))
    #expect(harness.openEndpoints.contains(.push))
  }

  @Test("One push at a time")
  func oneAtATime() {
    var harness = Self.open()
    harness.happen(Self.owed("r1", harness))
    harness.happen()
    #expect(harness.openEndpoints == [.push])
  }

  @Test(
    "What the relay does not want any more is dropped",
    arguments: [
      (RelayAnswer.refused(status: 409, "known"), OutboxVerdict.accept),
      (.forbidden(status: 404, "unknown"), .reject("unknown")),
      (.refused(status: 400, "bad"), .reject("bad")),
    ])
  func dropped(answer: RelayAnswer, verdict: OutboxVerdict) {
    var harness = Self.open()
    harness.happen(Self.owed("r1", harness))
    harness.answer(.push, answer)
    #expect(harness.done.contains(.settle(verdict)))
    #expect(harness.open.isEmpty)
    #expect(harness.pulls.count == 1)
  }

  @Test("One that is too large for the relay is replaced by a short failure, once")
  func tooLarge() {
    var harness = Self.open()
    harness.happen(Self.owed("r1", harness))
    harness.answer(.push, .refused(status: 413, "large"))
    #expect(harness.openEndpoints == [.push])
    #expect(harness.session.owed?.body["error"] == "response too large")
    harness.answer(.push, .refused(status: 413, "large"))
    #expect(harness.done.contains(.settle(.reject("large"))))
  }

  @Test("After ten minutes a result is not worth sending")
  func expires() {
    var harness = Self.open()
    harness.happen(Self.owed("r1", harness, within: 5))
    harness.answer(.push, .failed(status: 500))
    harness.move(to: 4.9)
    harness.answer(.push, .failed(status: 500))
    #expect(!harness.done.contains(.settle(.reject("older than 10 minutes"))))
    harness.move(to: 10)
    #expect(harness.done.contains(.settle(.reject("older than 10 minutes"))))
    #expect(!harness.openEndpoints.contains(.push))
  }

  // MARK: The end

  private func end(forgets: Bool, _ harness: inout SessionHarness) {
    harness.happen(
      .end(
        RelaySession.Ending(
          id: "r1", forgets: forgets, deadline: harness.now.advanced(by: .seconds(10)))))
  }

  @Test("The wish to end is answered first, and nothing is pulled any more")
  func ending() {
    var harness = Self.open()
    end(forgets: false, &harness)
    harness.happen(Self.owed("r1", harness))
    harness.answerPull(.accepted([:]))
    #expect(harness.pulls.isEmpty)
    harness.answer(.push, .accepted([:]))
    #expect(harness.parked == nil)
    harness.happen(.settled)
    #expect(harness.parked == "relay has ended this connector")
  }

  @Test("Where the answer cannot go, it ends all the same")
  func endsAnyway() {
    var harness = Self.open()
    end(forgets: false, &harness)
    harness.happen(Self.owed("r1", harness))
    harness.answer(.push, .unreachable(.connect, "x"))
    harness.move(to: 9.9)
    #expect(harness.parked == nil)
    harness.move(to: 10)
    #expect(harness.parked != nil)
  }

  @Test("A printer that was deleted in the dashboard is forgotten")
  func forgets() {
    var harness = Self.open()
    end(forgets: true, &harness)
    harness.happen(Self.owed("r1", harness))
    harness.answer(.push, .accepted([:]))
    harness.happen(.settled)
    let isForgotten = harness.done.contains {
      if case .forget = $0 { true } else { false }
    }
    #expect(isForgotten)
  }
}
