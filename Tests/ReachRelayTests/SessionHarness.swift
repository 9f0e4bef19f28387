import ConnectorKit
import JSON
import Platform

@testable import ReachRelay

/// A session on a clock of its own: what is sent, when, and what becomes of it.
struct SessionHarness {
  var session: RelaySession
  var now = PrinterStatus.start
  var status: PrinterStatus
  /// Calls that went out and are not answered yet.
  var open: [RelayCall] = []
  /// Pulls that went out, which nobody answers unless the test does.
  var pulls: [RelayCall] = []
  /// Everything but calls.
  var done: [RelaySession.Action] = []

  init(
    _ status: PrinterStatus = .ready("standby"), random: Double = 1,
    identity: ReachIdentity = ReachIdentity(token: Secret("t1"), printerID: "p")
  ) {
    self.status = status
    session = RelaySession(
      identity,
      rules: RelaySession.Rules(
        heartbeatInterval: .seconds(30), telemetryInterval: .seconds(10),
        telemetryIdleInterval: .seconds(30), host: "relay", random: { random }),
      reading: PrinterReading(status), now: now)
  }

  /// Seconds since the session began.
  var seconds: Double { (now.sinceOrigin - PrinterStatus.start.sinceOrigin) / .seconds(1) }

  /// Lets an event happen now.
  mutating func happen(_ event: RelaySession.Event = .tick) {
    for action in session.handle(event, reading: PrinterReading(status), now: now) {
      switch action {
      case .send(let call) where call.endpoint == .pull: pulls.append(call)
      case .send(let call): open.append(call)
      default: done.append(action)
      }
    }
  }

  /// Moves on to `seconds` after the beginning.
  mutating func move(to seconds: Double) {
    now = PrinterStatus.start.advanced(by: .seconds(seconds))
    happen()
  }

  /// Moves on to what is due next.
  mutating func moveToNextDue() {
    guard let due = session.nextDue(now) else { return }
    now = max(now, due)
    happen()
  }

  /// Answers the open call to `endpoint`.
  ///
  /// - Returns: the call, or nil when there is none.
  @discardableResult
  mutating func answer(_ endpoint: RelayEndpoint, _ answer: RelayAnswer) -> RelayCall? {
    guard let index = open.firstIndex(where: { $0.endpoint == endpoint }) else { return nil }
    let call = open.remove(at: index)
    happen(.answered(call, answer))
    return call
  }

  /// Answers the open pull.
  mutating func answerPull(_ answer: RelayAnswer) {
    guard let call = pulls.popLast() else { return }
    happen(.answered(call, answer))
  }

  /// The endpoints with open calls.
  var openEndpoints: [RelayEndpoint] { open.map(\.endpoint) }

  /// Runs until `seconds`, each call answered at once by `relay`.
  ///
  /// - Returns: when which endpoint was called.
  mutating func run(
    until end: Double, _ relay: (RelayCall) -> RelayAnswer
  ) -> [(endpoint: RelayEndpoint, at: Double)] {
    var calls: [(endpoint: RelayEndpoint, at: Double)] = []
    happen()
    while true {
      while let call = open.first {
        calls.append((call.endpoint, seconds))
        answer(call.endpoint, relay(call))
      }
      guard let due = session.nextDue(now),
        due.sinceOrigin - PrinterStatus.start.sinceOrigin <= .seconds(end)
      else { return calls }
      now = due
      happen()
    }
  }

  /// The lines that were logged.
  var lines: [String] {
    done.compactMap { if case .log(_, let line) = $0 { line } else { nil } }
  }
  /// The healths that were reported.
  var healths: [BackendHealth] {
    done.compactMap { if case .report(let health) = $0 { health } else { nil } }
  }
  /// The identities that were to be stored.
  var saves: [ReachIdentity] {
    done.compactMap { if case .save(let identity) = $0 { identity } else { nil } }
  }
  /// For how long accepted heartbeats count.
  var confirmations: [Duration] {
    done.compactMap { if case .confirm(let duration) = $0 { duration } else { nil } }
  }
  /// Why the session gave up.
  var parked: String? {
    for case .park(let problem, _) in done { return problem }
    return nil
  }
}

extension RelayCall {
  /// When the call was begun, in seconds after its session.
  var seconds: Double { (startedAt.sinceOrigin - PrinterStatus.start.sinceOrigin) / .seconds(1) }
}
