internal import Platform

/// When open pages are told what has changed: soon what a person acts on, now and then what changes all the time.
///
/// A value without a clock: the feed tells it what happens and when.
struct EventPacer: Sendable {
  /// What a change is to somebody who looks.
  enum Weight: Int, Sendable, Comparable {
    /// Temperatures, progress.
    case steady
    /// A state, a command, a switch.
    case news
    /// Lighter ones are less.
    static func < (left: Weight, right: Weight) -> Bool { left.rawValue < right.rawValue }
  }
  /// From one telling to the next of what changes all the time.
  static let steadyInterval = Duration.seconds(2)
  /// From one telling to the next, at least.
  static let leastInterval = Duration.milliseconds(400)
  /// After so long without a word pages hear that we are still here, and all is looked at once.
  static let beatInterval = Duration.seconds(15)

  /// The heaviest change that has not been told.
  private(set) var pending: Weight?
  private var lastTold: MonotonicInstant
  private var lastBeat: MonotonicInstant

  /// Nothing was told before `now`, so the first change is told at once.
  init(at now: MonotonicInstant) {
    lastTold = now.advanced(by: .zero - Self.beatInterval)
    lastBeat = now
  }

  /// Something changed.
  mutating func note(_ weight: Weight) { pending = max(pending ?? weight, weight) }

  /// When the next look is due. Until the steady interval is over it is at its end whether something changed or not, so
  /// that a printing printer, whose values change all the time, costs one wake-up for each telling and no more.
  var due: MonotonicInstant {
    let steady = lastTold.advanced(by: Self.steadyInterval)
    let beat = lastBeat.advanced(by: Self.beatInterval)
    switch pending {
    case .news: return min(lastTold.advanced(by: Self.leastInterval), beat)
    case .steady: return min(steady, beat)
    case nil: return beat
    }
  }

  /// When to look again with what is known now; see ``due``.
  func wake(at now: MonotonicInstant) -> MonotonicInstant {
    let steady = lastTold.advanced(by: Self.steadyInterval)
    return pending == nil && now < steady ? min(steady, due) : due
  }

  /// What is to be looked at and told at `now`; nil: nothing yet.
  mutating func take(at now: MonotonicInstant) -> (weight: Weight, isBeat: Bool)? {
    guard now >= due else { return nil }
    let isBeat = now >= lastBeat.advanced(by: Self.beatInterval)
    guard isBeat || pending != nil else { return nil }
    defer {
      pending = nil
      lastTold = now
      if isBeat { lastBeat = now }
    }
    return (isBeat ? .news : pending ?? .steady, isBeat)
  }
}
