import Platform
import Testing

@testable import PrintDock

private func at(_ seconds: Double) -> MonotonicInstant {
  MonotonicInstant(sinceOrigin: .milliseconds(Int64((seconds * 1_000).rounded())))
}

private func failure(_ kind: CloudError.Kind, status: Int? = nil, retryAfter: Int? = nil)
  -> CloudError
{
  CloudError(
    kind: kind, status: status, problem: "p", remedy: "r",
    retryAfter: retryAfter.map { .seconds($0) })
}

@Suite("Heartbeat schedule") struct CallScheduleTests {
  @Test("One in each interval, with a tenth of jitter, counted from its beginning")
  func regular() {
    var schedule = CallSchedule(interval: .seconds(10))
    #expect(schedule.next(after: at(0), endedAt: at(3), error: nil, random: 0.5) == at(10))
    #expect(schedule.next(after: at(0), endedAt: at(3), error: nil, random: 0) == at(9))
  }

  @Test("After failures it backs off, and never below the interval")
  func backsOff() {
    var schedule = CallSchedule(interval: .seconds(10))
    let error = failure(.unreachable)
    var waits: [MonotonicInstant] = []
    for _ in 0..<7 {
      waits.append(schedule.next(after: at(0), endedAt: at(5), error: error, random: 0.5))
    }
    #expect(waits == [10, 10, 10, 13, 21, 37, 65].map { at($0) })
    _ = schedule.next(after: at(0), endedAt: at(0), error: nil, random: 0.5)
    #expect(schedule.next(after: at(0), endedAt: at(5), error: error, random: 0.5) == at(10))
  }

  @Test("Retry-After is honoured")
  func retryAfter() {
    var schedule = CallSchedule(interval: .seconds(10))
    let error = failure(.busy, status: 503, retryAfter: 120)
    #expect(schedule.next(after: at(0), endedAt: at(1), error: error, random: 0.5) == at(121))
  }

  @Test(
    "Refused credentials and an unknown connector: one probe a minute",
    arguments: [
      CloudError.Kind.unauthorized, .unknown,
    ])
  func probe(kind: CloudError.Kind) {
    var schedule = CallSchedule(interval: .seconds(10))
    for _ in 0..<5 {
      #expect(
        schedule.next(after: at(0), endedAt: at(1), error: failure(kind), random: 0.5) == at(60))
    }
    #expect(schedule.next(after: at(0), endedAt: at(1), error: nil, random: 0.5) == at(10))
  }

  @Test("While credentials are refused no other failure makes it knock more often")
  func refusedAndBusy() {
    var schedule = CallSchedule(interval: .seconds(10))
    for error in [
      failure(.busy, status: 500), failure(.unreachable), failure(.rejected, status: 422),
    ] {
      let next = schedule.next(
        after: at(0), endedAt: at(5), error: error, isRefused: true, random: 0.5)
      #expect(next == at(60))
    }
    #expect(
      schedule.next(after: at(0), endedAt: at(1), error: nil, isRefused: true, random: 0.5)
        == at(10))
  }

  @Test("A refused body keeps the interval; other refusals back off")
  func rejected() {
    var schedule = CallSchedule(interval: .seconds(1))
    for _ in 0..<5 {
      let next = schedule.next(
        after: at(0), endedAt: at(0.5), error: failure(.rejected, status: 422), random: 0.5)
      #expect(next == at(1))
    }
    _ = schedule.next(
      after: at(0), endedAt: at(0), error: failure(.rejected, status: 405), random: 0.5)
    #expect(
      schedule.next(
        after: at(0), endedAt: at(0), error: failure(.rejected, status: 405), random: 0.5) == at(2))
  }
}

@Suite("Snapshot schedule") struct SnapshotScheduleTests {
  /// A schedule of 30 s that sent its first snapshot, of a printer in standby, at 10 s.
  private func running() -> SnapshotSchedule {
    var schedule = SnapshotSchedule(interval: .seconds(30), startingAt: at(0), random: 1.0 / 3)
    #expect(schedule.decide(at: at(9.9), state: "standby") == .wait(until: at(10)))
    #expect(schedule.decide(at: at(10), state: "standby") == .send)
    schedule.ended("standby", startedAt: at(10), endedAt: at(10.1), error: nil, random: 0.5)
    return schedule
  }

  @Test("The first is due after a random part of an interval, then one in each")
  func regular() {
    var schedule = running()
    #expect(schedule.decide(at: at(10.2), state: "standby") == .wait(until: at(40)))
    #expect(schedule.decide(at: at(40), state: "standby") == .send)
    schedule.ended("standby", startedAt: at(40), endedAt: at(45), error: nil, random: 0)
    #expect(schedule.decide(at: at(45), state: "standby") == .wait(until: at(67)))
  }

  @Test("A change of state is sent at once, and the regular one stays when it was due")
  func stateChange() {
    var schedule = running()
    #expect(schedule.decide(at: at(15), state: "printing") == .send)
    schedule.ended("printing", startedAt: at(15), endedAt: at(15.1), error: nil, random: 0.5)
    #expect(schedule.decide(at: at(15.2), state: "printing") == .wait(until: at(40)))
  }

  @Test("Two because of a state are two seconds apart, also when a regular one falls between")
  func spacing() {
    var schedule = running()
    _ = schedule.decide(at: at(39), state: "printing")
    schedule.ended("printing", startedAt: at(39), endedAt: at(39), error: nil, random: 0.5)
    #expect(schedule.decide(at: at(39.5), state: "paused") == .wait(until: at(41)))
    #expect(schedule.decide(at: at(40), state: "paused") == .wait(until: at(41)))
    // Back before it was sent: nothing new to say, but the regular one is due.
    #expect(schedule.decide(at: at(40), state: "printing") == .send)
    #expect(schedule.decide(at: at(41), state: "paused") == .send)
  }

  @Test("A state that goes away again within the spacing is not sent")
  func flicker() {
    var schedule = running()
    schedule.ended("printing", startedAt: at(15), endedAt: at(15), error: nil, random: 0.5)
    #expect(schedule.decide(at: at(16), state: "paused") == .wait(until: at(17)))
    #expect(schedule.decide(at: at(17), state: "printing") == .wait(until: at(40)))
  }

  @Test("A change before the first snapshot brings that forward, and the next is an interval later")
  func earlyChange() {
    var schedule = SnapshotSchedule(interval: .seconds(30), startingAt: at(0), random: 0.9)
    #expect(schedule.decide(at: at(1), state: "standby") == .wait(until: at(27)))
    #expect(schedule.decide(at: at(5), state: "printing") == .send)
    schedule.ended("printing", startedAt: at(5), endedAt: at(5), error: nil, random: 0.5)
    #expect(schedule.decide(at: at(27), state: "printing") == .wait(until: at(35)))
  }

  @Test("A printer that cannot be reported sends nothing; what is owed is sent when it is back")
  func away() {
    var schedule = running()
    #expect(schedule.decide(at: at(20), state: nil) == .wait(until: at(40)))
    #expect(schedule.decide(at: at(40), state: nil) == .wait(until: at(42)))
    #expect(schedule.decide(at: at(55), state: nil) == .wait(until: at(57)))
    #expect(schedule.decide(at: at(56), state: "standby") == .send)
    schedule.ended("standby", startedAt: at(56), endedAt: at(56), error: nil, random: 0.5)
    #expect(schedule.decide(at: at(57), state: "standby") == .wait(until: at(86)))
  }

  @Test("A failure backs off for all; the next regular one is not before its time")
  func failures() {
    var schedule = running()
    let error = failure(.busy, status: 500)
    schedule.ended("standby", startedAt: at(40), endedAt: at(41), error: error, random: 0.5)
    #expect(schedule.decide(at: at(41), state: "printing") == .wait(until: at(42)))
    #expect(schedule.decide(at: at(42), state: "standby") == .wait(until: at(70)))
    // A new state that was not told is told as soon as it may be.
    #expect(schedule.decide(at: at(42), state: "printing") == .send)
    schedule.ended("printing", startedAt: at(42), endedAt: at(43), error: error, random: 0.5)
    #expect(schedule.decide(at: at(43), state: "printing") == .wait(until: at(45)))
    #expect(schedule.decide(at: at(45), state: "printing") == .send)
  }

  @Test("A body that is refused counts as told: no tight loop")
  func rejected() {
    var schedule = running()
    let error = failure(.rejected, status: 422)
    schedule.ended("printing", startedAt: at(15), endedAt: at(15), error: error, random: 0.5)
    #expect(schedule.decide(at: at(20), state: "printing") == .wait(until: at(40)))
  }

  @Test("After a refusal of our credentials all that came due goes out at once")
  func resume() {
    var schedule = running()
    schedule.ended(
      "standby", startedAt: at(40), endedAt: at(40), error: failure(.unauthorized, status: 401),
      random: 0.5)
    schedule.resume()
    #expect(schedule.decide(at: at(60), state: "standby") == .wait(until: at(70)))
    #expect(schedule.decide(at: at(100), state: "standby") == .send)
  }

  @Test("Retry-After is honoured, also against a change of state")
  func retryAfter() {
    var schedule = running()
    let error = failure(.busy, status: 429, retryAfter: 90)
    schedule.ended("standby", startedAt: at(40), endedAt: at(40), error: error, random: 0.5)
    #expect(schedule.decide(at: at(50), state: "printing") == .wait(until: at(130)))
    #expect(schedule.decide(at: at(130), state: "printing") == .send)
  }
}
