import ConnectorKit
import JSON
import Networking
import Platform
import Testing

@testable import ReachRelay

@Suite("Reach: when a picture is due") struct FrameScheduleTests {
  private let open = RelayPassage(token: Secret("t"), opensAt: MonotonicInstant(sinceOrigin: .zero))

  private func at(_ seconds: Double) -> MonotonicInstant {
    MonotonicInstant(sinceOrigin: .seconds(1_000 + seconds))
  }

  /// When a picture is due, in seconds; nil: not before something changes.
  private func due(
    _ schedule: FrameSchedule, _ audience: FrameSchedule.Audience = .everybody,
    _ passage: RelayPassage? = nil, now: Double
  ) -> Double? {
    schedule.due(for: audience, passage ?? open, now: at(now))
      .map { (($0.sinceOrigin - .seconds(1_000)) / .milliseconds(1)).rounded() / 1_000 }
  }

  @Test("The first is due at once, the next an interval after the last one began")
  func interval() {
    var schedule = FrameSchedule(interval: .seconds(5))
    #expect(due(schedule, now: 0) == 0)
    schedule.began(at: at(0))
    #expect(due(schedule, now: 1) == 5)
    // What took long to capture counts from when it was sent.
    schedule.began(at: at(2))
    #expect(due(schedule, now: 2) == 7)
    #expect(due(schedule, now: 60) == 60)
  }

  @Test("Nothing is due without a viewer, nor after the viewer's time")
  func audience() {
    var schedule = FrameSchedule(interval: .seconds(5))
    #expect(due(schedule, .nobody, now: 0) == nil)
    #expect(due(schedule, .viewer(until: at(0)), now: 0) == nil)
    #expect(due(schedule, .viewer(until: at(1)), now: 0) == 0)
    schedule.began(at: at(0))
    #expect(due(schedule, .viewer(until: at(5)), now: 1) == nil)
    #expect(due(schedule, .viewer(until: at(6)), now: 1) == 5)
  }

  @Test("Nothing is due while the session holds calls back, nor while its token is in doubt")
  func passage() {
    let schedule = FrameSchedule(interval: .seconds(5))
    var passage = open
    passage.opensAt = at(30)
    #expect(due(schedule, .everybody, passage, now: 0) == 30)
    #expect(due(schedule, .viewer(until: at(20)), passage, now: 0) == nil)
    passage.opensAt = nil
    #expect(due(schedule, .everybody, passage, now: 0) == nil)
  }

  @Test(
    "What the relay answers to a picture",
    arguments: [
      (.accepted([:]), 5), (.forbidden(status: 403, ""), 5), (.forbidden(status: 404, ""), 3_601),
      (.refused(status: 413, ""), 3_601), (.refused(status: 400, ""), 5), (.failed(status: 500), 5),
      (.redirected(host: "h"), 5), (.unreachable(.timeout, ""), 5),
      (.wait(status: 429, .seconds(60)), 61), (.wait(status: 429, .seconds(2)), 5),
      (.unauthorised(""), nil),
    ] as [(RelayAnswer, Double?)])
  func answers(answer: RelayAnswer, next: Double?) {
    var schedule = FrameSchedule(interval: .seconds(5))
    schedule.began(at: at(0))
    schedule.ended(answer, open, at: at(1))
    #expect(due(schedule, now: 2) == next)
  }

  @Test("After a 401 the next picture waits until the relay has accepted the token elsewhere")
  func doubt() {
    var schedule = FrameSchedule(interval: .seconds(5))
    var passage = open
    passage.acceptances = 7
    schedule.began(at: at(0))
    schedule.ended(.unauthorised(""), passage, at: at(1))
    #expect(due(schedule, .everybody, passage, now: 20) == nil)
    passage.acceptances = 8
    #expect(due(schedule, .everybody, passage, now: 20) == 20)
  }

  @Test(
    "Without a camera it is looked for once a minute; a picture that failed is over with the next",
    arguments: [
      (.noCamera, 61), (.notPermitted, 61), (.unreachable, 5), (.notAnImage, 5), (.tooLarge, 5),
    ] as [(WebcamFailure.Kind, Double)])
  func missed(kind: WebcamFailure.Kind, next: Double) {
    var schedule = FrameSchedule(interval: .seconds(5))
    schedule.began(at: at(0))
    schedule.missed(kind, at: at(1))
    #expect(due(schedule, now: 2) == next)
  }
}
