package import JSON
package import Platform

/// Something that a far side is owed and that must arrive once: a command's result, a job's event, an alarm.
package struct OwedItem: Sendable, Hashable {
  /// The idempotency key, 1…256 bytes, unique in its backend: a second item of the same key is the same item.
  package var key: String
  /// What it is, in the connector's words: `completion`.
  package var kind: String
  /// What is to be sent; at most 4 MiB written as JSON.
  package var body: JSONObject
  /// Whether it may be dropped for others when the outbox is full: the refusal of a command that never ran.
  package var isExpendable: Bool

  /// An item.
  package init(key: String, kind: String, body: JSONObject, isExpendable: Bool = false) {
    self.key = key
    self.kind = kind
    self.body = body
    self.isExpendable = isExpendable
  }
}

/// An owed item as it lies in the outbox.
package struct OutboxEntry: Sendable {
  /// Its place in the order; counts up.
  package var number: Int64
  /// What is owed.
  package var item: OwedItem
  /// Since when.
  package var since: WallTime
  /// How often it has been tried.
  package var attempts: Int
  /// Whether it was put in by this run of the daemon (not found in the store at the start).
  package var isFresh: Bool

  /// An entry.
  package init(number: Int64, item: OwedItem, since: WallTime, attempts: Int, isFresh: Bool) {
    self.number = number
    self.item = item
    self.since = since
    self.attempts = attempts
    self.isFresh = isFresh
  }
}

/// What became of an attempt to deliver.
package enum OutboxVerdict: Sendable, Hashable {
  /// It arrived: it leaves the outbox.
  case accept
  /// The far side will never take it: it leaves the outbox, and the log says why.
  case reject(String)
  /// It stays for another attempt.
  case keep
}

/// A backend's own durable outbox; the host keeps it. In order, at most 500 items and 7 days; survives every end.
package protocol Outbox: Sendable {
  /// Puts an item in; on the disk when this returns. An item of the same key that is still there is replaced in its place.
  ///
  /// What cannot be stored is kept in memory and logged once.
  ///
  /// - Returns: whether it is on the disk.
  @discardableResult
  func put(_ item: OwedItem) async -> Bool

  /// Whether half of the places are taken: what can be put in later waits, so that nothing has to go for it.
  var isHalfFull: Bool { get async }

  /// The oldest entry, as soon as there is one.
  ///
  /// - Throws: `CancellationError`.
  func oldest() async throws -> OutboxEntry

  /// The oldest entry, or nil.
  func peek() async -> OutboxEntry?

  /// Says what became of an attempt.
  func settle(_ entry: OutboxEntry, _ verdict: OutboxVerdict) async
}
