internal import ConnectorKit
internal import JSON
internal import Platform

/// Decides about the calls of macros as they come. A pure state machine: nothing that comes makes it grow.
struct MacroDesk: Sendable {
  /// What is to be done with a call.
  enum Verdict: Sendable, Hashable {
    /// It counts.
    case perform(MacroCall)
    /// It does not: why, for the log and the audit.
    case refuse(String)
    /// It does not, and that has been said.
    case ignore
  }
  /// The same words within this time are one message: a macro that is run twice says it once.
  static let repetition = Duration.seconds(10)
  /// Messages a minute.
  static let messageLimit = 6
  /// Other calls a minute, each way of them.
  static let orderLimit = 12

  private var messages = CallRate(messageLimit)
  private var orders: [MacroMethod: CallRate] = [:]
  private var last: (text: String, at: MonotonicInstant)?
  private var told = OccurrenceThrottle<String>(limit: 32)

  /// A desk that has seen nothing.
  init() {}

  /// Takes a call.
  ///
  /// - Parameters:
  ///   - params: as they came.
  ///   - granted: what the configuration grants now.
  mutating func take(
    _ method: MacroMethod, _ params: JSONValue, granted: Set<MacroGrant>,
    at now: MonotonicInstant
  ) -> Verdict {
    guard granted.contains(method.grant) else {
      return refuse(
        method,
        "control.macros does not hold '\(method.grant.rawValue)': write it there if your macros may do that"
      )
    }
    let call: MacroCall
    do throws(MacroCall.Mistake) { call = try MacroCall(method, params) } catch {
      return refuse(method, error.text)
    }
    guard case .notify(let text) = call else {
      return orders[method, default: CallRate(Self.orderLimit)].take(at: now)
        ? .perform(call) : refuse(method, "it comes more than \(Self.orderLimit) times a minute")
    }
    if let last, last.text == text, last.at.duration(to: now) < Self.repetition { return .ignore }
    guard messages.take(at: now) else {
      return refuse(method, "it comes more than \(Self.messageLimit) times a minute")
    }
    last = (text, now)
    return .perform(call)
  }

  /// Says the same about the same method the 1st, 2nd, 4th, 8th… time.
  private mutating func refuse(_ method: MacroMethod, _ why: String) -> Verdict {
    told.note("\(method.rawValue): \(why)") == nil ? .ignore : .refuse(why)
  }
}
