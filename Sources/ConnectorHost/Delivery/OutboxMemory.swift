internal import ConnectorKit
internal import Platform

/// Items that could not be stored yet, in order: a value, without a clock.
struct OutboxMemory: Sendable {
  /// One item; its number is negative, so that it cannot be taken for a stored one.
  struct Kept: Sendable {
    var number: Int64
    var item: OwedItem
    var since: WallTime
    var attempts = 0
    /// Another one after each replacement.
    var revision = 0
    /// As the backend sees it.
    var entry: OutboxEntry {
      OutboxEntry(number: number, item: item, since: since, attempts: attempts, isFresh: true)
    }
  }
  /// The most that are kept.
  static let limit = 100

  private(set) var kept: [Kept] = []
  private var nextNumber: Int64 = -1

  /// Keeps an item, or puts it in the place of the one with its key; an expendable one takes no other's place.
  ///
  /// - Returns: how many had to go: an expendable one first, then the oldest.
  mutating func put(_ item: OwedItem, since: WallTime) -> Int {
    if let place = kept.firstIndex(where: { $0.item.key == item.key }) {
      if item.isExpendable, !kept[place].item.isExpendable { return 0 }
      kept[place].item = item
      kept[place].revision += 1
      return 0
    }
    var dropped = 0
    if kept.count >= Self.limit {
      dropped = 1
      if let expendable = kept.firstIndex(where: \.item.isExpendable) {
        kept.remove(at: expendable)
      } else if item.isExpendable {
        return dropped
      } else {
        kept.removeFirst()
      }
    }
    kept.append(Kept(number: nextNumber, item: item, since: since))
    nextNumber -= 1
    return dropped
  }

  /// Lets go of what is older than `limit`.
  ///
  /// - Returns: how many.
  mutating func expire(before limit: WallTime) -> Int {
    let count = kept.count
    kept.removeAll { $0.since < limit }
    return count - kept.count
  }

  /// Takes one out, unless it was replaced since it was seen.
  mutating func remove(_ seen: Kept) {
    kept.removeAll { $0.number == seen.number && $0.revision == seen.revision }
  }

  /// Takes one out by its number.
  mutating func remove(_ number: Int64) { kept.removeAll { $0.number == number } }

  /// Counts an attempt.
  mutating func countAttempt(_ number: Int64) {
    guard let place = kept.firstIndex(where: { $0.number == number }) else { return }
    kept[place].attempts += 1
  }
}
