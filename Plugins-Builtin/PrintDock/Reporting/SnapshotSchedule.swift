internal import ConnectorKit
internal import Platform

/// When the next snapshot is due: one in each interval, and one at once when the print's state has changed. Pure.
struct SnapshotSchedule: Sendable {
  /// What to do now.
  enum Decision: Sendable, Hashable {
    case send
    /// Nothing before this moment, unless something happens at the printer.
    case wait(until: MonotonicInstant)
  }

  /// Snapshots because of a state are at least this far apart.
  static let stateSpacing = Duration.seconds(2)
  /// How often to look again for a printer that may come back without an event (a frozen Moonraker).
  static let recheck = Duration.seconds(2)

  private let interval: Duration
  private var backoff = ExponentialBackoff(.printDock)
  /// When the next regular snapshot is due.
  private var due: MonotonicInstant
  /// Nothing is sent before, whatever happens.
  private var held: MonotonicInstant?
  /// The state that the cloud knows; nil before the first snapshot.
  private var toldState: String?
  /// The state when we began; a change of it is worth the first snapshot.
  private var firstState: String?
  /// When the last snapshot went out whose state was new.
  private var lastStateChange: MonotonicInstant?
  private var hasSent = false

  /// - Parameters:
  ///   - interval: the time between two regular snapshots.
  ///   - now: the start.
  ///   - random: a uniform random number in 0..<1: the first one is due after that part of an interval.
  init(interval: Duration, startingAt now: MonotonicInstant, random: Double) {
    self.interval = interval
    due = now.advanced(by: interval * random)
  }

  /// What to do now.
  ///
  /// - Parameter state: `print_stats.state`; nil while the printer cannot be reported.
  mutating func decide(at now: MonotonicInstant, state: String?) -> Decision {
    if let held, now < held { return .wait(until: held) }
    guard let state else {
      // What is due is owed as soon as the printer is there again.
      return .wait(until: now < due ? due : now.advanced(by: Self.recheck))
    }
    if firstState == nil { firstState = state }
    let isNew = state != (toldState ?? firstState)
    if isNew, let last = lastStateChange, now < last.advanced(by: Self.stateSpacing) {
      return .wait(until: last.advanced(by: Self.stateSpacing))
    }
    return isNew || now >= due ? .send : .wait(until: due)
  }

  /// A snapshot that showed `state` and began at `start` has been sent, or failed for `error`.
  mutating func ended(
    _ state: String, startedAt start: MonotonicInstant, endedAt now: MonotonicInstant,
    error: CloudError?, random: Double
  ) {
    let isNew = state != (toldState ?? firstState)
    if start >= due || !hasSent {
      due = start.advanced(by: interval.jittered(random))
    }
    if isNew { lastStateChange = start }
    if let error, !error.isFinal {
      held = now.advanced(by: backoff.failed(random: random, retryAfter: error.retryAfter))
    } else {
      backoff.succeeded()
      held = nil
      hasSent = true
      toldState = state
    }
  }

  /// Whether nothing may be sent now, because of a failure.
  func isHeld(at now: MonotonicInstant) -> Bool { held.map { now < $0 } ?? false }

  /// Starts anew after a time in which nothing was sent; what came due meanwhile is sent at once.
  mutating func resume() {
    backoff.succeeded()
    held = nil
  }
}
