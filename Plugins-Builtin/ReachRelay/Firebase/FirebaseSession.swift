internal import ConnectorKit
internal import JSON
internal import Platform

/// When what goes to the database, and what its answers mean. Events in, actions out: no clock, no I/O.
///
/// The printer's status goes out with each report to the relay, or not at all. The viewer's stamp comes by a stream; where
/// that cannot be had, it is asked for. Whatever fails here concerns nobody else.
struct FirebaseSession: Sendable {
  /// A stream that has lived so long is no failure when it ends.
  static let healthy = Duration.seconds(10)
  /// After so many failed streams in a row the stamp is asked for.
  static let failuresBeforePolling = 2

  /// What it goes by.
  struct Rules: Sendable {
    /// Whether the viewer's stamp is wanted.
    var watchesViewer: Bool
    /// The time between two questions for it, where it is asked for.
    var pollInterval: Duration
    /// How long after its stamp a viewer counts as there.
    var viewerTimeout: Duration
    /// The database's host, for messages.
    var host: String
    /// A random number in 0..<1.
    var random: @Sendable () -> Double
  }

  /// What happens.
  enum Event: Sendable {
    /// Time has passed.
    case tick
    /// A report goes to the relay: what the database is told of it.
    case report(JSONObject)
    /// The status was answered.
    case patched(FirebaseAnswer)
    /// The stream says this of the stamp.
    case heard(Int64?)
    /// The stream has ended.
    case streamEnded(StreamEnd)
    /// The question for the stamp was answered.
    case polled(FirebaseAnswer)
  }

  /// What is to be done.
  enum Action: Sendable, Hashable {
    case patch(JSONObject)
    case openStream
    /// What it brings is not wanted any more.
    case closeStream
    case poll
    /// Somebody watches until then, or nobody does.
    case viewer(until: MonotonicInstant?)
    case log(LogLevel, String)
  }

  /// One kind of request.
  private struct Lane {
    var isOpen = false
    var failures = 0
    /// Not before this.
    var notBefore = MonotonicInstant(sinceOrigin: .zero)
  }

  private let rules: Rules
  private(set) var isOff = false
  private var heldUntil = MonotonicInstant(sinceOrigin: .zero)
  private var status = Lane()
  private var stream = Lane()
  private var polling = Lane()
  /// When the stream brought its first stamp; nil: it is not there, or has brought none.
  private var aliveSince: MonotonicInstant?
  private var window: ViewerWindow
  private var occurrences = OccurrenceThrottle<String>()

  /// A session that has sent nothing.
  init(_ rules: Rules) {
    self.rules = rules
    window = ViewerWindow(timeout: rules.viewerTimeout)
  }

  /// Takes an event.
  ///
  /// - Returns: what is to be done, in order.
  mutating func handle(
    _ event: Event, now: MonotonicInstant, wallTime: WallTime
  ) -> [Action] {
    var actions: [Action] = []
    let former = window.end
    switch event {
    case .tick: break
    case .report(let body): report(body, now, &actions)
    case .patched(let answer):
      status.isOpen = false
      _ = take(answer, "status", \.status, cap: .seconds(60), now, &actions)
    case .heard(let stamp): hear(stamp, now, wallTime)
    case .streamEnded(let end): streamEnded(end, now, &actions)
    case .polled(let answer): polled(answer, now, wallTime, &actions)
    }
    if window.end != former { actions.append(.viewer(until: window.end)) }
    if streamDue.map({ $0 <= now }) ?? false {
      stream.isOpen = true
      actions.append(.openStream)
    }
    if pollDue.map({ $0 <= now }) ?? false {
      polling.isOpen = true
      polling.notBefore = now.advanced(by: rules.pollInterval)
      actions.append(.poll)
    }
    return actions
  }

  /// When something is due next, if nothing happens before; nil while only an answer or a report is awaited.
  var nextDue: MonotonicInstant? { [streamDue, pollDue].compactMap { $0 }.min() }

  private var streamDue: MonotonicInstant? {
    guard rules.watchesViewer, !isOff, !stream.isOpen else { return nil }
    return max(stream.notBefore, heldUntil)
  }

  private var pollDue: MonotonicInstant? {
    guard rules.watchesViewer, !isOff, !polling.isOpen, aliveSince == nil,
      stream.failures >= Self.failuresBeforePolling
    else { return nil }
    return max(polling.notBefore, heldUntil)
  }

  // MARK: Events

  private mutating func report(
    _ body: JSONObject, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    guard !isOff, !status.isOpen, max(status.notBefore, heldUntil) <= now else { return }
    status.isOpen = true
    actions.append(.patch(body))
  }

  private mutating func hear(
    _ stamp: Int64?, _ now: MonotonicInstant, _ wallTime: WallTime
  ) {
    guard !isOff, stream.isOpen else { return }
    aliveSince = aliveSince ?? now
    window.take(stamp, now: now, wallTime: wallTime)
    occurrences.reset { $0.hasPrefix("viewer") }
  }

  private mutating func streamEnded(
    _ end: StreamEnd, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    stream.isOpen = false
    if let aliveSince, aliveSince.duration(to: now) >= Self.healthy { stream.failures = 0 }
    aliveSince = nil
    switch end {
    case .revoked: turnOff(&actions)
    case .refused(let answer):
      _ = take(answer, "viewer", \.stream, cap: .seconds(300), now, &actions)
    case .closed, .cancelled, .defective, .silent:
      failed(\.stream, cap: .seconds(300), now)
      if let problem = end.problem(host: rules.host) {
        note(problem, "viewer \(end.kind)", &actions)
      }
    }
  }

  private mutating func polled(
    _ answer: FirebaseAnswer, _ now: MonotonicInstant, _ wallTime: WallTime,
    _ actions: inout [Action]
  ) {
    polling.isOpen = false
    guard let value = take(answer, "stamp", \.polling, cap: .seconds(60), now, &actions),
      aliveSince == nil
    else { return }
    window.take(DatabaseEvent.stamp(value), now: now, wallTime: wallTime)
  }

  // MARK: Answers

  /// Takes an answer.
  ///
  /// - Returns: what came with it; nil where it is a failure.
  private mutating func take(
    _ answer: FirebaseAnswer, _ what: String, _ lane: WritableKeyPath<Self, Lane>, cap: Duration,
    _ now: MonotonicInstant, _ actions: inout [Action]
  ) -> JSONValue? {
    guard !isOff else { return nil }
    switch answer {
    case .accepted(let value):
      self[keyPath: lane].failures = 0
      occurrences.reset { $0.hasPrefix(what) }
      return value
    case .unauthorised:
      turnOff(&actions)
      return nil
    case .wait(_, let pause): heldUntil = max(heldUntil, now.advanced(by: pause))
    case .redirected, .refused, .unreadable, .unreachable: break
    }
    failed(lane, cap: cap, now)
    if let problem = answer.problem(host: rules.host) {
      note(problem, "\(what) \(answer.kind)", &actions)
    }
    return nil
  }

  private mutating func failed(
    _ lane: WritableKeyPath<Self, Lane>, cap: Duration, _ now: MonotonicInstant
  ) {
    let failures = min(self[keyPath: lane].failures + 1, 1_000)
    self[keyPath: lane].failures = failures
    let pause = ExponentialBackoff.Policy(cap: cap, factors: 0.5...1)
      .wait(afterFailure: failures, random: rules.random())
    self[keyPath: lane].notBefore = max(
      self[keyPath: lane].notBefore, now.advanced(by: pause))
  }

  /// For good: no request with this token is worth sending any more.
  private mutating func turnOff(_ actions: inout [Action]) {
    guard !isOff else { return }
    isOff = true
    window.close()
    if stream.isOpen { actions.append(.closeStream) }
    actions.append(
      .log(
        .warning,
        "Firebase: \(rules.host) does not accept firebase.token; Firebase is off until the configuration changes, everything else goes on"
      ))
  }

  private mutating func note(_ problem: String, _ key: String, _ actions: inout [Action]) {
    guard let count = occurrences.note(key) else { return }
    actions.append(.log(.warning, "Firebase: \(problem)\(RelaySession.times(count))"))
  }
}
