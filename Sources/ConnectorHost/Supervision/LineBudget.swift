internal import Platform

/// How many lines something may still log: twenty at once, then one per three seconds.
///
/// A backend that changes its state all the time neither fills the log nor delays its neighbours.
struct LineBudget: Sendable {
  /// What a line gets.
  enum Answer: Sendable, Hashable {
    /// It may be written.
    case fine
    /// The budget is spent for the first time: say so instead.
    case last
    /// It is left out.
    case spent
  }
  private static let size = 20
  private static let refill = Duration.seconds(3)
  private var lines = size
  private var isWarned = false
  private var refilledAt: MonotonicInstant?

  /// Takes one line out of the budget.
  mutating func take(at now: MonotonicInstant) -> Answer {
    earn(until: now)
    guard lines > 0 else {
      defer { isWarned = true }
      return isWarned ? .spent : .last
    }
    lines -= 1
    return .fine
  }

  private mutating func earn(until now: MonotonicInstant) {
    let since = refilledAt ?? now
    let earned = Int(clamping: since.duration(to: now).components.seconds / 3)
    guard lines < Self.size, earned < Self.size else {
      // A full budget starts counting when the next line is taken.
      if earned >= Self.size { isWarned = false }
      lines = Self.size
      refilledAt = now
      return
    }
    lines = min(Self.size, lines + max(0, earned))
    refilledAt = since.advanced(by: Self.refill * max(0, earned))
  }
}
