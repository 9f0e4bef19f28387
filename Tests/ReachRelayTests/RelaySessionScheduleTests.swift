import ConnectorKit
import JSON
import Platform
import Testing

@testable import ReachRelay

@Suite("Reach schedule") struct RelaySessionScheduleTests {
  private static func times(
    _ endpoint: RelayEndpoint, _ calls: [(endpoint: RelayEndpoint, at: Double)]
  ) -> [Double] { calls.filter { $0.endpoint == endpoint }.map(\.at) }

  @Test("A heartbeat goes first, a report follows its answer")
  func first() {
    var harness = SessionHarness()
    harness.happen()
    #expect(harness.openEndpoints == [.heartbeat])
    harness.answer(.heartbeat, .accepted([:]))
    #expect(harness.openEndpoints == [.telemetry])
    #expect(harness.healths == [.online])
  }

  @Test("An idle printer is reported every 30 s, a printing or heating one every 10 s")
  func intervals() {
    var idle = SessionHarness(.ready("standby"))
    #expect(Self.times(.telemetry, idle.run(until: 95) { _ in .accepted([:]) }) == [0, 30, 60, 90])
    for busy: PrinterStatus in [.ready("printing"), .ready("standby", nozzleTarget: 200)] {
      var harness = SessionHarness(busy)
      let calls = harness.run(until: 35) { _ in .accepted([:]) }
      #expect(Self.times(.telemetry, calls) == [0, 10, 20, 30])
      #expect(Self.times(.heartbeat, calls) == [0, 30])
    }
  }

  @Test("What a macro says is reported a second later, once, and then as often as ever")
  func message() {
    var harness = SessionHarness(.ready("standby"))
    harness.happen()
    harness.answer(.heartbeat, .accepted([:]))
    harness.answer(.telemetry, .accepted([:]))
    harness.move(to: 5)
    #expect(harness.openEndpoints == [])
    harness.status.messages = [
      PrinterMessage(
        number: 7, at: harness.now, wallTime: harness.status.updatedWallTime, text: "a")
    ]
    harness.happen()
    #expect(harness.openEndpoints == [.telemetry])
    harness.answer(.telemetry, .accepted([:]))
    harness.move(to: 20)
    #expect(harness.openEndpoints == [])
  }

  @Test(
    "The relay's nextCheckIn is obeyed between 5 s and an hour, and ignored where it is no time",
    arguments: [
      (8, 8), (8.9, 8), (1, 5), (0.5, 5), (5_000, 3_600), (1e300, 3_600), (0, 30), (-4, 30),
    ])
  func nextCheckIn(asked: Double, obeyed: Double) {
    var harness = SessionHarness()
    let calls = harness.run(until: obeyed) { call in
      .accepted(call.endpoint == .heartbeat ? ["nextCheckIn": .double(asked)] : [:])
    }
    #expect(Self.times(.heartbeat, calls) == [0, obeyed])
  }

  @Test("A nextCheckIn of another type is ignored")
  func strangeCheckIn() {
    var harness = SessionHarness()
    let calls = harness.run(until: 30) { _ in
      .accepted(["nextCheckIn": "8", "nextDataInterval": [1]])
    }
    #expect(Self.times(.heartbeat, calls) == [0, 30])
    #expect(Self.times(.telemetry, calls) == [0, 30])
  }

  @Test(
    "The relay's nextDataInterval is obeyed between 1 s and an hour",
    arguments: [(2, 2), (0.1, 1), (9_999, 3_600), (0, 10)])
  func nextDataInterval(asked: Double, obeyed: Double) {
    var harness = SessionHarness(.ready("printing"))
    let calls = harness.run(until: obeyed) { call in
      .accepted(call.endpoint == .telemetry ? ["nextDataInterval": .double(asked)] : [:])
    }
    #expect(Self.times(.telemetry, calls) == [0, obeyed])
  }

  @Test("A change of the job's state is reported within a second")
  func changes() {
    var harness = SessionHarness()
    _ = harness.run(until: 5) { _ in .accepted([:]) }
    harness.status = .ready("printing")
    harness.move(to: 5)
    #expect(harness.openEndpoints == [.telemetry])
    harness.answer(.telemetry, .accepted([:]))
    harness.status = .ready("paused")
    harness.move(to: 5.2)
    #expect(harness.openEndpoints.isEmpty)
    harness.moveToNextDue()
    #expect(harness.seconds == 6)
    #expect(harness.openEndpoints == [.telemetry])
  }

  @Test("A change is not reported faster than the relay's own interval")
  func changesUnderDataInterval() {
    var harness = SessionHarness()
    _ = harness.run(until: 5) { _ in .accepted(["nextDataInterval": 20]) }
    harness.status = .ready("printing")
    harness.move(to: 6)
    #expect(harness.openEndpoints.isEmpty)
    harness.moveToNextDue()
    #expect(harness.seconds == 20)
  }

  @Test("Heating that begins brings the next report forward to ten seconds after the last")
  func heating() {
    var harness = SessionHarness()
    _ = harness.run(until: 3) { _ in .accepted([:]) }
    harness.status = .ready("standby", nozzleTarget: 200)
    harness.move(to: 4)
    harness.moveToNextDue()
    #expect(harness.seconds == 10)
  }

  @Test("A Moonraker that restarts is no news for ten seconds from its loss, nor from its return")
  func moonrakerRestarts() {
    var harness = SessionHarness(.ready("printing"))
    _ = harness.run(until: 9) { _ in .accepted([:]) }
    harness.status = .away(since: harness.now)
    harness.move(to: 9)
    #expect(harness.openEndpoints.isEmpty)
    harness.moveToNextDue()
    #expect(harness.seconds == 19)

    var idle = SessionHarness(.ready("standby"))
    _ = idle.run(until: 9) { _ in .accepted([:]) }
    idle.status = .away(since: idle.now)
    idle.move(to: 9)
    idle.status.link = .connected
    idle.move(to: 12)
    idle.moveToNextDue()
    #expect(idle.seconds == 22)
    #expect(idle.openEndpoints == [.telemetry])
  }

  @Test("A Moonraker that is back in time is no news at all")
  func moonrakerBack() {
    var harness = SessionHarness(.ready("standby"))
    _ = harness.run(until: 9) { _ in .accepted([:]) }
    harness.status = .away(since: harness.now)
    harness.move(to: 9)
    harness.status = .ready("standby")
    harness.move(to: 12)
    #expect(Self.times(.telemetry, harness.run(until: 30) { _ in .accepted([:]) }) == [30])
  }

  @Test("A stopped Klippy is news at once")
  func klippyStops() {
    var harness = SessionHarness(.ready("printing"))
    _ = harness.run(until: 5) { _ in .accepted([:]) }
    harness.status.klippy = .shutdown
    harness.move(to: 5)
    #expect(harness.openEndpoints == [.telemetry])
  }

  @Test("Never two calls of one endpoint are under way, however long an answer takes")
  func oneAtATime() {
    var harness = SessionHarness(.ready("printing"))
    harness.happen()
    harness.answer(.heartbeat, .accepted([:]))
    harness.move(to: 100)
    #expect(harness.openEndpoints.sorted { $0.rawValue < $1.rawValue } == [.heartbeat, .telemetry])
    harness.move(to: 200)
    #expect(harness.open.count == 2)
    #expect(harness.session.nextDue(harness.now) == nil)
  }
}
