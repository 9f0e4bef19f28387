/// Counts what repeats, so that it is logged at the 1st, 2nd, 4th, 8th… time only.
struct Occurrences {
  private var counts: [String: Int] = [:]

  /// Counts one more of `kind`.
  ///
  /// - Returns: how many there were by now when that is worth a line, else nil.
  mutating func count(_ kind: String) -> Int? {
    let count = (counts[kind] ?? 0) &+ 1
    counts[kind] = count
    return count > 0 && count & (count - 1) == 0 ? count : nil
  }

  /// Forgets every kind that begins with `prefix`.
  mutating func forget(_ prefix: String) {
    counts = counts.filter { !$0.key.hasPrefix(prefix) }
  }
}
