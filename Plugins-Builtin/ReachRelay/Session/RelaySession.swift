internal import ConnectorKit
internal import JSON
internal import Platform

/// When which call goes to a paired relay, and what its answer means. Events in, actions out: no
/// clock, no I/O.
///
/// Heartbeats and reports have schedules of their own, and one that fails does not hold the other
/// up, but for three things that concern both: a token in doubt, a relay that asks to wait or
/// refuses this printer, and a link that was lost (a heartbeat goes first when it is back).
struct RelaySession {
  /// So long the loss of Moonraker alone is no news: restarting takes it no longer.
  static let grace = Duration.seconds(10)
  /// The least time between two reports.
  static let breath = Duration.seconds(1)
  /// An accepted heartbeat counts for so many of its intervals.
  static let heartbeatsForHealth = 3
  /// After so long without a heartbeat's answer a report tries its luck behind a failed one.
  static let probeAfter = Duration.seconds(60)

  let rules: Rules
  var identity: ReachIdentity
  /// What a restart would begin with.
  var stored: ReachIdentity
  /// What is to be on the disk and is not yet.
  var unsaved: ReachIdentity?
  var isSaving = false
  var standing = Standing.good
  /// How often the relay has accepted the token in use.
  var acceptances: UInt64 = 0
  /// When another token was tried last.
  var lastFallback: MonotonicInstant?
  /// Calls in a row that the relay did not accept the token of.
  var refusedCalls = 0
  var lanes: [RelayEndpoint: Lane] = [:]
  /// Nothing goes out before this.
  var heldUntil = MonotonicInstant(sinceOrigin: .zero)
  /// Since when reports wait for a heartbeat's answer.
  var awaitsHeartbeatSince: MonotonicInstant?
  /// Whether one report may go out although they wait: perhaps only heartbeats get no answer.
  var isProbeDue = false
  var lastAnswerAt: MonotonicInstant?
  /// Pulls in a row that came back empty before their time.
  var emptyPulls = 0
  /// The oldest result that is owed.
  var owed: OwedResult?
  var isSettling = false
  var ending: Ending?
  /// Whether its result has been seen in the outbox.
  var isEndingOwed = false
  var heartbeatInterval: Duration
  /// The relay's own interval for reports.
  var dataInterval: Duration?
  var reading: PrinterReading
  var reportedState: JobState?
  /// The newest message that a report has carried.
  var reportedMessage: UInt64 = 0
  var graceUntil: MonotonicInstant?
  var isKnown = false
  var health: BackendHealth?
  var occurrences = OccurrenceThrottle<String>()

  /// A session as `identity`, to which the printer reads `reading` at `now`.
  init(_ identity: ReachIdentity, rules: Rules, reading: PrinterReading, now: MonotonicInstant) {
    self.identity = identity
    stored = identity
    self.rules = rules
    self.reading = reading
    heartbeatInterval = rules.heartbeatInterval
    awaitsHeartbeatSince = now
  }

  /// Takes an event, with what the printer reads by now.
  ///
  /// - Returns: what is to be done, in order.
  mutating func handle(
    _ event: Event, reading: PrinterReading, now: MonotonicInstant
  ) -> [Action] {
    observe(reading, now)
    var actions: [Action] = []
    switch event {
    case .tick: break
    case .answered(let call, let answer): take(answer, to: call, now, &actions)
    case .saved(let saved): adopt(saved, &actions)
    case .saveFailed(_, let reason): complain(aboutSaving: reason, &actions)
    case .owed(let result): owed = result
    case .settled:
      owed = nil
      isSettling = false
    case .end(let wish): if ending == nil { ending = wish }
    case .asked(let pause): holdAll(for: pause, now)
    }
    expireOwed(now, &actions)
    if end(now, &actions) { return actions }
    for endpoint in RelayEndpoint.allCases {
      guard lane(endpoint).inFlight == nil, due(endpoint, now) <= now else { continue }
      let call = RelayCall(endpoint: endpoint, token: identity.token, startedAt: now)
      change(endpoint) {
        $0.inFlight = call
        $0.lastStart = now
      }
      if endpoint == .telemetry {
        reportedState = reading.jobState
        reportedMessage = reading.lastMessage
      }
      actions.append(.send(call))
    }
    reportHealth(&actions)
    return actions
  }

  /// When something is due next, if nothing happens before; nil while only an answer is awaited.
  func nextDue(_ now: MonotonicInstant) -> MonotonicInstant? {
    let calls = RelayEndpoint.allCases.filter { lane($0).inFlight == nil }.map { due($0, now) }
    return (calls + [ending?.deadline ?? .never]).filter { $0 < .never }.min()
  }
}
