internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// When which call goes to the hub, and what its answer means. Events in, actions out: no clock, no I/O.
///
/// One call at a time: the hub keeps its data in files without locks. An update is due every `status_update`, a question
/// for commands every `command_check`; where both are due, commands go first, and the two alternate. No call but an update
/// goes out before the hub has accepted one: the second hub does not know a printer before. Where the page's edits are
/// kept, the page is read right before each update: what was edited since the last reading would be written over.
struct HubSession {
  /// A call of the schedule.
  enum Call: Sendable, Hashable, CaseIterable { case update, commands, edits }

  /// What the session is told.
  enum Event: Sendable {
    /// Something may be due.
    case tick
    /// A call has ended.
    case answered(Call, HubClient.Reply)
    /// An update is wanted before its time: a result that must be told at once.
    case hurry
  }

  /// What the session wants done.
  enum Action: Sendable {
    case send(Call)
    case report(BackendHealth)
    /// The hub has accepted an update, and how long that counts.
    case confirm(Duration)
    case log(LogLevel, String)
    /// Commands have come, with the hub's clock.
    case pulled([JSONValue], date: WallTime?)
    /// The hub has told what its page shows.
    case edited(HubEdits?)
    /// An update has been accepted, after so many failures.
    case updated(afterFailures: Int)
    /// A call has failed.
    case failed(Call)
  }

  /// What the session goes by.
  struct Rules: Sendable {
    var statusInterval: Duration
    var commandInterval: Duration
    var backoff: RetryPolicy
    var maxAttempts: Int
    var skipsUnchanged: Bool
    var asksForEdits: Bool
    /// So many commands in an answer mean that more wait; nil: all come at once.
    var fullBatch: Int?
    /// The hub's host, for messages.
    var host: String
    var random: @Sendable () -> Double
  }

  /// One call's schedule.
  struct Lane {
    var dueAt: MonotonicInstant
    var failures = 0
    var lastStart: MonotonicInstant?
  }

  /// The hub takes a printer for away after 60 s: whatever else happens, an update goes out as often as that.
  static let longestSilence = Duration.seconds(20)
  /// An update that is later than this goes out without a look at the page before it.
  private static let latestLook = Duration.seconds(5)
  /// At a slow hub the page is read as often as this, in the turn of a question for commands.
  private static let longestUnread = Duration.seconds(60)
  /// So often at the most it is asked again at once for what more waits.
  private static let mostFollowUps = 4
  /// An accepted update counts for so long.
  private static let confirmation = Duration.seconds(60)

  let rules: Rules
  private(set) var lanes: [Call: Lane] = [:]
  private(set) var inFlight: Call?
  private var lastCall: Call?
  private var isKnown = false
  private var isHurried = false
  /// Whether the hub has said what its page shows, or that there is none.
  private var hasHeardOfPage = false
  /// Whether the page has been read since the last update.
  private var hasLooked = false
  private var lastLook: MonotonicInstant?
  private var lastBatch: [JSONValue] = []
  private var followUps = 0
  private var sentContent: JSONObject?
  private var acceptedContent: JSONObject?
  private var lastUpdate: MonotonicInstant?
  private var problems: [Call: BackendHealth] = [:]
  private var health: BackendHealth?
  private var isDegraded = false
  private var occurrences = OccurrenceThrottle<String>()
  private var lastRefusal: String?
  private var hasToldOfWarnings = false

  /// A session that begins at `now`.
  init(_ rules: Rules, now: MonotonicInstant) {
    self.rules = rules
    for call in Call.allCases { lanes[call] = Lane(dueAt: now) }
  }

  /// Takes an event.
  ///
  /// - Parameter content: what an update would say now, without its times; asked for only where it decides.
  /// - Returns: what is to be done, in order.
  mutating func handle(
    _ event: Event, now: MonotonicInstant, content: () -> JSONObject
  ) -> [Action] {
    var actions: [Action] = []
    switch event {
    case .tick: break
    case .hurry: isHurried = true
    case .answered(let call, let reply):
      inFlight = nil
      lastCall = call
      take(reply, to: call, now, &actions)
    }
    if inFlight == nil, let call = next(now, content) {
      inFlight = call
      lanes[call]?.lastStart = now
      if call == .update {
        isHurried = false
        hasLooked = false
        lastUpdate = now
        sentContent = rules.skipsUnchanged ? content() : nil
      }
      actions.append(.send(call))
    }
    let worst = Call.allCases.compactMap { problems[$0] }.first
    if let new = worst ?? (isKnown ? .online : nil), new != health {
      health = new
      actions.append(.report(new))
    }
    return actions
  }

  /// When something is due next, if nothing happens before; nil while an answer is awaited.
  func nextDue() -> MonotonicInstant? {
    guard inFlight == nil else { return nil }
    // The page has no time of its own.
    return [.update, .commands].filter(isOpen).compactMap { lanes[$0]?.dueAt }.min()
  }

  // MARK: What is due

  /// Whether a call may go out at all by now.
  private func isOpen(_ call: Call) -> Bool {
    switch call {
    case .update: true
    case .commands: isKnown
    case .edits: rules.asksForEdits && (isKnown || !hasHeardOfPage)
    }
  }

  private mutating func next(
    _ now: MonotonicInstant, _ content: () -> JSONObject
  ) -> Call? {
    if !isHurried, !hasLooked { skipUpdate(now, content) }
    let isUpdateDue = isHurried || isDue(.update, now)
    guard isUpdateDue else { return isDue(.commands, now) ? .commands : nil }
    if !isHurried, isDue(.commands, now), lastCall != .commands, !hasLooked {
      guard mayLook(now), let lastLook, lastLook.advanced(by: Self.longestUnread) <= now
      else { return .commands }
      return look(now)
    }
    let isLate = (lanes[.update]?.dueAt).map { $0.advanced(by: Self.latestLook) <= now } ?? false
    return !hasLooked && !isLate && mayLook(now) ? look(now) : .update
  }

  /// Whether the page may be read now. A hub that takes no updates may be back: then what it shows counts.
  private func mayLook(_ now: MonotonicInstant) -> Bool {
    isDue(.edits, now) || (isOpen(.edits) && (lanes[.update]?.failures ?? 0) > 0)
  }

  private func isDue(_ call: Call, _ now: MonotonicInstant) -> Bool {
    isOpen(call) && (lanes[call]?.dueAt).map { $0 <= now } ?? false
  }

  /// What a person has edited is read before an update would write over it.
  private mutating func look(_ now: MonotonicInstant) -> Call {
    hasLooked = true
    lastLook = now
    return .edits
  }

  /// Leaves an update out where it would say nothing new, but for one in 20 s.
  private mutating func skipUpdate(_ now: MonotonicInstant, _ content: () -> JSONObject) {
    guard rules.skipsUnchanged, let lane = lanes[.update], lane.dueAt <= now, lane.failures == 0,
      let lastUpdate, let acceptedContent
    else { return }
    // One that is left out now must not make the next one late.
    let next = lane.dueAt.advanced(by: rules.statusInterval)
    guard lastUpdate.advanced(by: Self.longestSilence) >= next,
      UpdateBody.isSame(content(), as: acceptedContent)
    else { return }
    lanes[.update]?.dueAt = max(next, now)
  }

  // MARK: What came

  private mutating func take(
    _ reply: HubClient.Reply, to call: Call, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    if reply.hasWarnings, !hasToldOfWarnings {
      hasToldOfWarnings = true
      actions.append(
        .log(
          .warning,
          "\(rules.host) prints PHP warnings before its answers, and may not have stored what it says it has; look at its PHP log"
        ))
    }
    switch reply.answer {
    case .accepted(let object): accept(object, reply, call, now, &actions)
    case .refused(let words): refuse(words, call, now, &actions)
    case .wait(_, let pause):
      for call in Call.allCases {
        guard let lane = lanes[call] else { continue }
        lanes[call]?.dueAt = max(lane.dueAt, now.advanced(by: pause))
      }
      fail(reply.answer, call, now, &actions)
    case .unusable, .redirected, .unreachable: fail(reply.answer, call, now, &actions)
    }
  }

  private mutating func accept(
    _ object: JSONObject, _ reply: HubClient.Reply, _ call: Call, _ now: MonotonicInstant,
    _ actions: inout [Action]
  ) {
    let failures = lanes[call]?.failures ?? 0
    if problems.removeValue(forKey: call) != nil {
      actions.append(.log(.info, "\(call): \(rules.host) answers again"))
    }
    occurrences.reset { $0.hasPrefix("\(call)") }
    lanes[call]?.failures = 0
    plan(call, now)
    switch call {
    case .update:
      isKnown = true
      isDegraded = false
      lastRefusal = nil
      acceptedContent = sentContent
      // The hub is back: what it holds for us is asked for at once.
      if failures > 0 {
        lanes[.commands]?.dueAt = now
        lanes[.edits]?.dueAt = now
      }
      actions.append(.confirm(Self.confirmation))
      actions.append(.updated(afterFailures: failures))
    case .commands:
      let commands = object.list("commands")
      follow(commands, now)
      actions.append(.pulled(commands, date: reply.date))
    case .edits:
      hasHeardOfPage = true
      actions.append(.edited(HubEdits(object)))
    }
  }

  /// Asks again at once where an answer was full, but neither for ever nor for what the last one said already.
  private mutating func follow(_ commands: [JSONValue], _ now: MonotonicInstant) {
    guard let full = rules.fullBatch, commands.count >= full, commands != lastBatch,
      followUps < Self.mostFollowUps
    else {
      followUps = 0
      return
    }
    lastBatch = commands
    followUps += 1
    lanes[.commands]?.dueAt = now
  }

  /// A refusal is no failure of the hub's: it is asked again in its turn.
  private mutating func refuse(
    _ words: String, _ call: Call, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    plan(call, now)
    // A printer that the hub does not know yet has no page.
    if call == .edits { hasHeardOfPage = true }
    if call == .edits, !isKnown { return }
    actions.append(.failed(call))
    let problem = HubAnswer.refused(words).problem(host: rules.host) ?? ""
    let text = "\(call): \(problem)"
    if lastRefusal != text {
      lastRefusal = text
      actions.append(.log(.warning, "\(text); \(HubAnswer.refused(words).remedy)"))
    }
    problems[call] = .degraded(problem: text, remedy: HubAnswer.refused(words).remedy)
  }

  private mutating func fail(
    _ answer: HubAnswer, _ call: Call, _ now: MonotonicInstant, _ actions: inout [Action]
  ) {
    actions.append(.failed(call))
    let failures = min((lanes[call]?.failures ?? 0) + 1, 1_000)
    lanes[call]?.failures = failures
    var wait = rules.backoff.wait(
      afterFailure: failures, random: rules.random(),
      cap: call == .update ? Self.longestSilence : RetryPolicy.cap)
    if case .wait(_, let pause) = answer { wait = max(wait, pause) }
    lanes[call]?.dueAt = now.advanced(by: wait)
    let problem = "\(call): \(answer.problem(host: rules.host) ?? "")"
    if let count = occurrences.note("\(call) \(answer.kind)") {
      let times = count > 1 ? " (\(count) times)" : ""
      // One failure that the next attempt mends is nothing to worry about.
      actions.append(
        .log(count > 1 ? .warning : .info, "\(problem)\(times); \(answer.remedy)"))
    }
    guard failures > 1 || call == .edits else { return }
    problems[call] = .degraded(problem: problem, remedy: answer.remedy)
    guard call == .update, failures >= rules.maxAttempts, !isDegraded else { return }
    isDegraded = true
    actions.append(
      .log(
        .warning,
        "degraded: \(failures) updates in a row were not accepted; it is tried every \(Self.longestSilence.components.seconds) s until the hub is back"
      ))
  }

  /// Sets the next time of a call that was answered: by its schedule, not by how long the answer took.
  private mutating func plan(_ call: Call, _ now: MonotonicInstant) {
    let interval: Duration =
      switch call {
      case .update: rules.statusInterval
      case .commands: rules.commandInterval
      case .edits: .zero
      }
    guard let lane = lanes[call] else { return }
    // One that went out before its time changes nothing about the next.
    if let start = lane.lastStart, lane.dueAt > start { return }
    let regular = lane.dueAt.advanced(by: interval)
    // Where it was late by more than a turn, turns are not made up for.
    lanes[call]?.dueAt =
      regular > now ? regular : max(now, (lane.lastStart ?? now).advanced(by: interval))
  }
}

extension HubAnswer {
  /// Its kind, for counting.
  fileprivate var kind: String {
    switch self {
    case .accepted: "accepted"
    case .refused: "refused"
    case .wait: "wait"
    case .unusable: "unusable"
    case .redirected: "redirected"
    case .unreachable(let kind, _): kind.rawValue
    }
  }
}

extension HubSession.Call: CustomStringConvertible {
  var description: String {
    switch self {
    case .update: "update"
    case .commands: "commands"
    case .edits: "page"
    }
  }
}
