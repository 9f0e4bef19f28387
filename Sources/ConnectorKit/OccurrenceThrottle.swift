/// Counts what happens over and over, and says which times are worth a line: the 1st, 2nd, 4th, 8th…
///
/// A cloud that is away for a night then costs ten lines instead of a thousand. A value without a clock: keep one where
/// the failures happen, ``reset(_:)`` it when the thing works again.
package struct OccurrenceThrottle<Key: Hashable & Sendable>: Sendable {
  private var counts: [Key: UInt64] = [:]
  /// What all keys beyond the limit share.
  private var others: UInt64 = 0
  private let limit: Int

  /// A throttle that has seen nothing.
  ///
  /// - Parameter limit: how many keys are told apart, at least 1; further ones share one count, so that keys made of a
  ///   far side's words cannot grow without end.
  package init(limit: Int = 64) { self.limit = max(1, limit) }

  /// Counts one more `key`.
  ///
  /// - Returns: its number since the last reset, from 1, when it should be logged; nil when it should not.
  package mutating func note(_ key: Key) -> UInt64? {
    let number: UInt64
    if counts[key] != nil || counts.count < limit {
      number = (counts[key] ?? 0) &+ 1
      counts[key] = number
    } else {
      others &+= 1
      number = others
    }
    // A power of two has a single bit.
    return number.nonzeroBitCount == 1 ? number : nil
  }

  /// Forgets `key`: its next time is the first again.
  ///
  /// - Returns: how often it was noted; 0 where it was not, or is not told apart.
  @discardableResult
  package mutating func reset(_ key: Key) -> UInt64 { counts.removeValue(forKey: key) ?? 0 }

  /// Forgets every key of which `isOver` is true; what is not told apart goes on being counted.
  package mutating func reset(where isOver: (Key) -> Bool) {
    counts = counts.filter { !isOver($0.key) }
  }

  /// Forgets all keys.
  ///
  /// - Returns: how often any was noted.
  @discardableResult
  package mutating func resetAll() -> UInt64 {
    defer {
      counts = [:]
      others = 0
    }
    return counts.values.reduce(others, &+)
  }
}
