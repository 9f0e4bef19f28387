internal import ConnectorKit
internal import Database
internal import JSON
internal import Platform

/// The outbox's table; on the store's thread only, inside a transaction of the caller where it writes.
struct StoreOutbox {
  let connection: Connection
  let limits: StoreLimits
  let now: WallTime

  /// Puts an item in, or in the place of the one with its key; an expendable one takes no other's place.
  ///
  /// - Returns: how many entries had to go: those too old, then expendable ones, then the oldest. An expendable item
  ///   for which only others would have to go is itself what goes, and so is one that is too large.
  func put(_ item: OwedItem, of backend: String, at: WallTime) throws -> Int {
    let body = JSONValue.object(item.body).serialized()
    guard body.count <= limits.itemBytes else { return 1 }
    var dropped = try expire(backend)
    let replaced = try connection.run(
      """
      UPDATE outbox SET kind=?1, expendable=?2, bytes=?3, body=?4
      WHERE backend=?5 AND key=?6 AND expendable>=?2
      """,
      .text(item.kind), .integer(item.isExpendable ? 1 : 0), .integer(Int64(body.count)),
      .blob(body), .text(backend), .text(item.key))
    if try replaced > 0 || holds(item.key, backend) { return dropped }
    while try !hasRoom(for: Int64(body.count), backend) {
      dropped += 1
      guard let victim = try victim(backend, for: item) else { return dropped }
      try remove(victim)
    }
    try connection.run(
      """
      INSERT INTO outbox(backend, key, kind, since, attempts, expendable, bytes, body)
      VALUES(?,?,?,?,0,?,?,?)
      """,
      .text(backend), .text(item.key), .text(item.kind), .integer(at.millisecondsSinceEpoch),
      .integer(item.isExpendable ? 1 : 0), .integer(Int64(body.count)), .blob(body))
    return dropped
  }

  /// The oldest entry behind `number`; what cannot be read goes.
  ///
  /// - Returns: the entry, and how many had to go.
  func oldest(
    of backend: String, after number: Int64, freshFrom: Int64
  ) throws -> (entry: OutboxEntry?, dropped: Int) {
    var dropped = try isExpired(backend) ? connection.transaction { try expire(backend) } : 0
    while true {
      let found = try connection.first(
        """
        SELECT number, key, kind, since, attempts, expendable, body FROM outbox
        WHERE backend=? AND number>? ORDER BY number LIMIT 1
        """, .text(backend), .integer(number)
      ) { row in (row.integer(0), Self.entry(row, freshFrom: freshFrom)) }
      guard let (number, entry) = found else { return (nil, dropped) }
      if let entry { return (entry, dropped) }
      try remove(number)
      dropped += 1
    }
  }

  private func holds(_ key: String, _ backend: String) throws -> Bool {
    try connection.number(
      "SELECT EXISTS(SELECT 1 FROM outbox WHERE backend=? AND key=?)", .text(backend), .text(key))
      != 0
  }

  func remove(_ number: Int64) throws {
    try connection.run("DELETE FROM outbox WHERE number=?", .integer(number))
  }

  func countAttempt(_ number: Int64) throws {
    try connection.run("UPDATE outbox SET attempts=attempts+1 WHERE number=?", .integer(number))
  }

  func counts() throws -> [String: Int] {
    let rows = try connection.rows("SELECT backend, COUNT(*) FROM outbox GROUP BY backend") {
      ($0.text(0), Int(clamping: $0.integer(1)))
    }
    return Dictionary(rows, uniquingKeysWith: +)
  }

  /// The oldest entries of a backend without their bodies, which only their cloud is to see.
  func summaries(of backend: String, limit: Int) throws -> [OwedSummary] {
    try connection.rows(
      "SELECT kind, since, attempts FROM outbox WHERE backend=? ORDER BY number LIMIT ?",
      .text(backend), .integer(Int64(limit))
    ) { row in
      OwedSummary(
        kind: row.text(0), since: WallTime(millisecondsSinceEpoch: row.integer(1)),
        attempts: Int(clamping: row.integer(2)))
    }
  }

  /// The number that was given out last, by this file in all its life.
  func lastNumber() throws -> Int64 {
    try connection.number("SELECT seq FROM sqlite_sequence WHERE name='outbox'")
  }

  /// Lets the numbers of a new file go on behind those of the one before, so that no entry is taken for another.
  func continueNumbers(after last: Int64) throws {
    guard try lastNumber() < last else { return }
    try connection.transaction {
      try connection.run("DELETE FROM sqlite_sequence WHERE name='outbox'")
      try connection.run("INSERT INTO sqlite_sequence VALUES('outbox',?)", .integer(last))
    }
  }

  private static func entry(_ row: Row, freshFrom: Int64) -> OutboxEntry? {
    guard let bytes = row.blob(6),
      let body = try? JSONValue(parsing: bytes, limits: .store).object
    else { return nil }
    let item = OwedItem(
      key: row.text(1), kind: row.text(2), body: body, isExpendable: row.integer(5) != 0)
    return OutboxEntry(
      number: row.integer(0), item: item, since: WallTime(millisecondsSinceEpoch: row.integer(3)),
      attempts: Int(clamping: row.integer(4)), isFresh: row.integer(0) >= freshFrom)
  }

  private var expiry: Int64 { now.advanced(by: .zero - limits.outboxAge).millisecondsSinceEpoch }

  /// Whether the oldest entry is too old; the others are in about the same order.
  private func isExpired(_ backend: String) throws -> Bool {
    try connection.first(
      "SELECT since FROM outbox WHERE backend=? ORDER BY number LIMIT 1", .text(backend),
      body: { $0.integer(0) < expiry }) ?? false
  }

  private func expire(_ backend: String) throws -> Int {
    guard try isExpired(backend) else { return 0 }
    return try connection.run(
      "DELETE FROM outbox WHERE backend=? AND since<?", .text(backend), .integer(expiry))
  }

  private func hasRoom(for bytes: Int64, _ backend: String) throws -> Bool {
    try connection.first(
      "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM outbox WHERE backend=?", .text(backend)
    ) {
      $0.integer(0) < limits.outboxCount && $0.integer(1) <= limits.outboxBytes - bytes
    } ?? true
  }

  private func victim(_ backend: String, for item: OwedItem) throws -> Int64? {
    let expendable = try connection.first(
      "SELECT number FROM outbox WHERE backend=? AND expendable=1 ORDER BY number LIMIT 1",
      .text(backend), body: { $0.integer(0) })
    if let expendable { return expendable }
    guard !item.isExpendable else { return nil }
    return try connection.first(
      "SELECT number FROM outbox WHERE backend=? ORDER BY number LIMIT 1", .text(backend),
      body: { $0.integer(0) })
  }
}
