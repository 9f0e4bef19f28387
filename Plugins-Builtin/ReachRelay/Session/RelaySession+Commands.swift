internal import ConnectorKit
internal import Platform

// Pulls, pushes, and the relay's wish that this connector ends.

extension RelaySession {
  /// An empty answer that comes earlier was not held.
  static let shortestHold = Duration.seconds(5)
  /// The longest pause after such answers.
  static let longestPause = Duration.seconds(25)
  /// So long the answer to a wish to end may take.
  static let endingTime = Duration.seconds(10)

  /// Why a result is given up that nobody waits for any more.
  static let outOfDate = "older than 10 minutes"
  /// What the owner can do when the relay has deleted the printer.
  static let afterForgetting = "remove the entry, or pair again with a new pairing_code"

  /// What is said when the relay at `host` has deleted the printer.
  static func forgotten(by host: String) -> String {
    "the printer was deleted at \(host), and its pairing is forgotten"
  }

  /// Takes what a pull brought, and says when the next one may go.
  mutating func take(
    _ pulled: PulledCommand, _ call: RelayCall, _ now: MonotonicInstant,
    _ actions: inout [Action]
  ) {
    var pause = Duration.zero
    switch pulled {
    case .nothing:
      let isEarly = call.startedAt.duration(to: now) < Self.shortestHold
      emptyPulls = isEarly ? emptyPulls + 1 : 0
      if isEarly { pause = min(Self.longestPause, .seconds(1) * (1 << min(emptyPulls - 1, 5))) }
    case .unanswerable(let problem):
      pause = .seconds(1)
      if let count = occurrences.note("unanswerable") {
        actions.append(
          .log(
            .warning,
            "something that came as a command is dropped: \(problem)\(Self.times(count))"))
      }
    case .command, .malformed:
      emptyPulls = 0
      occurrences.reset { $0 == "unanswerable" }
      actions.append(.pulled(pulled))
    }
    change(.pull) { $0.retryAt = now.advanced(by: pause) }
  }

  /// Takes the answer to a push, where that ends the result.
  ///
  /// - Returns: false where the answer says nothing about the result: it stays owed.
  mutating func settles(_ answer: RelayAnswer, _ actions: inout [Action]) -> Bool {
    guard var result = owed, !isSettling else { return false }
    switch answer {
    case .accepted:
      settle(.accept, &actions)
      return false
    case .refused(status: 409, _):
      // Somebody has answered it already: we, most likely, and the answer was lost.
      settle(.accept, &actions)
    case .forbidden(status: 404, let words): settle(.reject(words), &actions)
    case .refused(status: 413, _) where !result.isShortened:
      result.body = CommandResult.tooLarge(result.id).body
      result.isShortened = true
      owed = result
    case .refused(_, let words): settle(.reject(words), &actions)
    default: return false
    }
    change(.push) {
      $0.failures = 0
      $0.problem = nil
    }
    return true
  }

  /// Lets go of a result that is not worth sending any more.
  mutating func expireOwed(_ now: MonotonicInstant, _ actions: inout [Action]) {
    guard let owed, !isSettling, lane(.push).inFlight == nil, owed.expiresAt <= now else { return }
    settle(.reject(Self.outOfDate), &actions)
  }

  private mutating func settle(_ verdict: OutboxVerdict, _ actions: inout [Action]) {
    isSettling = true
    actions.append(.settle(verdict))
  }

  /// Ends the session where the relay wants that and its answer has gone, or cannot go.
  mutating func end(_ now: MonotonicInstant, _ actions: inout [Action]) -> Bool {
    guard let ending else { return false }
    if owed?.id == ending.id { isEndingOwed = true }
    let hasGone = isEndingOwed && owed?.id != ending.id
    guard hasGone || ending.deadline <= now else { return false }
    if ending.forgets {
      actions.append(
        .forget(
          problem: Self.forgotten(by: rules.host), remedy: Self.afterForgetting))
    } else {
      actions.append(
        .park(
          problem: "\(rules.host) has ended this connector",
          remedy: "start \(Product.name) anew, or reload this entry, to go on"))
    }
    return true
  }
}
