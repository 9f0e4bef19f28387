import ConnectorHost
import ConnectorKit
import Platform
import Testing

@Suite("Backend lifecycle") struct SupervisionLifecycleTests {
  private typealias Event = BackendLifecycle.Event
  private static let now = MonotonicInstant(sinceOrigin: .seconds(10))
  private static let half = now.advanced(by: .milliseconds(500))
  private static let retry = Event.ended(.retry(after: nil, problem: "p"))
  private static let park = Event.ended(.park(problem: "p", remedy: "r"))
  private static let degraded = Event.reported(.degraded(problem: "p", remedy: "r"))
  private static let held = Event.held(problem: "p", remedy: "r")
  private static let events: [Event] = [
    .start, held, .reported(.online), degraded, retry, park, .due, .stop, .graceElapsed,
  ]

  /// A way into a situation, and what each event does there; events that are not named do nothing.
  struct Situation: Sendable, CustomTestStringConvertible {
    var name: String
    var path: [BackendLifecycle.Event]
    var isEnabled = true
    var state: BackendState
    var leads: [BackendLifecycle.Event: (BackendState, BackendLifecycle.Action?)]
    var testDescription: String { name }
  }

  private static let backingOff = BackendState.backingOff(problem: "p", until: half)
  private static let parked = BackendState.parked(problem: "p", remedy: "r")
  private static let sick = BackendState.degraded(problem: "p", remedy: "r")
  private static let running: [Event: (BackendState, BackendLifecycle.Action?)] = [
    .reported(.online): (.online, nil), degraded: (sick, nil),
    retry: (backingOff, .wake(at: half)), park: (parked, nil),
  ]

  private static func with(
    _ leads: [Event: (BackendState, BackendLifecycle.Action?)], stopIn state: BackendState,
    _ action: BackendLifecycle.Action?
  ) -> [Event: (BackendState, BackendLifecycle.Action?)] {
    leads.merging([.stop: (state, action)]) { $1 }
  }

  static let situations: [Situation] = [
    Situation(
      name: "disabled", path: [], isEnabled: false, state: .disabled,
      leads: [.start: (.starting, .launch), .stop: (.stopped, nil)]),
    Situation(
      name: "not started yet", path: [], state: .starting,
      leads: [.start: (.starting, .launch), held: (parked, nil), .stop: (.stopped, nil)]),
    Situation(
      name: "held", path: [held], state: parked,
      leads: [.start: (.starting, .launch), .stop: (.stopped, nil)]),
    Situation(
      name: "starting", path: [.start], state: .starting,
      leads: with(running, stopIn: .starting, .cancel)),
    Situation(
      name: "online", path: [.start, .reported(.online)], state: .online,
      leads: with(running, stopIn: .online, .cancel)),
    Situation(
      name: "degraded", path: [.start, degraded], state: sick,
      leads: with(running, stopIn: sick, .cancel)),
    Situation(
      name: "backing off", path: [.start, retry], state: backingOff,
      leads: [.due: (.starting, .launch), .stop: (.stopped, .forgetWake)]),
    Situation(
      name: "parked", path: [.start, park], state: parked,
      leads: [.start: (.starting, .launch), .stop: (.stopped, nil)]),
    Situation(
      name: "stopping", path: [.start, .reported(.online), .stop], state: .online,
      leads: [
        retry: (.stopped, nil), park: (.stopped, nil), .graceElapsed: (.stopped, .abandon),
      ]),
    Situation(
      name: "left behind", path: [.start, .stop, .graceElapsed], state: .stopped, leads: [:]),
    Situation(name: "stopped", path: [.start, .stop, retry], state: .stopped, leads: [:]),
  ]

  @Test(
    "Every event in every situation does what the table says, or nothing", arguments: situations)
  func table(situation: Situation) {
    var reached = BackendLifecycle(isEnabled: situation.isEnabled)
    for event in situation.path { _ = reached.handle(event, at: Self.now, random: 0.5) }
    #expect(reached.state == situation.state)
    for event in Self.events {
      var life = reached
      let action = life.handle(event, at: Self.now, random: 0.5)
      let (state, expected) = situation.leads[event] ?? (situation.state, nil)
      #expect(life.state == state, "\(event)")
      #expect(action == expected, "\(event)")
    }
  }

  @Test("Only a back-off counts as a start again")
  func restarts() {
    var life = BackendLifecycle(restarts: 4)
    _ = life.handle(.start, at: Self.now, random: 0)
    #expect(life.restarts == 4)
    _ = life.handle(Self.retry, at: Self.now, random: 0)
    _ = life.handle(.due, at: Self.now, random: 0)
    #expect(life.restarts == 5)
  }

  @Test(
    "Failures are forgotten after five minutes online in one piece",
    arguments: [(299, 2), (300, 1)])
  func healthyPeriod(seconds: Int, span: Int) {
    var life = BackendLifecycle()
    var now = Self.now
    _ = life.handle(.start, at: now, random: 1)
    _ = life.handle(Self.retry, at: now, random: 1)
    _ = life.handle(.due, at: now, random: 1)
    _ = life.handle(.reported(.online), at: now, random: 1)
    now = now.advanced(by: .seconds(seconds))
    _ = life.handle(.reported(.online), at: now, random: 1)
    let action = life.handle(Self.retry, at: now, random: 1)
    #expect(action == .wake(at: now.advanced(by: .seconds(span))))
  }

  @Test("Time spent degraded is no health")
  func degradedIsNotHealthy() {
    var life = BackendLifecycle()
    var now = Self.now
    for event in [.start, Self.retry, .due, .reported(.online)] as [Event] {
      _ = life.handle(event, at: now, random: 1)
    }
    for _ in 0..<10 {
      now = now.advanced(by: .seconds(100))
      _ = life.handle(Self.degraded, at: now, random: 1)
      now = now.advanced(by: .seconds(100))
      _ = life.handle(.reported(.online), at: now, random: 1)
    }
    let action = life.handle(Self.retry, at: now, random: 1)
    #expect(action == .wake(at: now.advanced(by: .seconds(2))))
  }

  struct Odd: Error, CustomStringConvertible {
    var description: String { "line one\nline two" + String(repeating: "x", count: 1_000) }
  }

  @Test("Errors say what to do; all others are tried again")
  func ends() {
    #expect(BackendEnd(BackendFailure(.park, "p", remedy: "r")) == .park(problem: "p", remedy: "r"))
    #expect(
      BackendEnd(BackendFailure(.retry(after: .seconds(7)), "p", remedy: "r"))
        == .retry(after: .seconds(7), problem: "p; r"))
    #expect(BackendEnd(BackendFailure(.reject, "p")) == .retry(after: nil, problem: "p"))
    for error in [nil, CancellationError(), Odd()] as [(any Error)?] {
      guard case .retry(nil, let problem) = BackendEnd(error) else {
        Issue.record("\(String(describing: error)) is no retry")
        continue
      }
      #expect(!problem.isEmpty && !problem.contains("\n") && problem.count <= 301)
    }
  }
}
