internal import ConnectorKit
internal import Database
internal import Platform

/// The journal's table; on the store's thread only, inside a transaction of the caller where it writes.
struct StoreJournal {
  let connection: Connection
  let limits: StoreLimits
  let now: WallTime

  func command(_ id: CommandID) throws -> StoredCommand? {
    try connection.first(
      "SELECT digest, outcome FROM journal WHERE backend=? AND id=?", .text(id.backend),
      .text(id.id)
    ) { row in
      StoredCommand(digest: row.text(0), outcome: row.blob(1).map(CommandOutcome.init(stored:)))
    }
  }

  /// Writes an intent, and lets go of commands that are too many or too old. One that has no end yet stays.
  ///
  /// - Throws: `StoreFailure` for an id that another command has, or that has ended.
  func begin(_ intent: CommandIntent) throws {
    let owed = intent.owedIfInterrupted?.stored
    let isNew =
      try connection.run(
        """
        INSERT INTO journal(backend, id, digest, wire_name, kind, at, owed) VALUES(?,?,?,?,?,?,?)
        ON CONFLICT DO NOTHING
        """,
        .text(intent.id.backend), .text(intent.id.id), .text(intent.digest),
        .text(intent.wireName), .text(intent.kind.rawValue),
        .integer(intent.at.millisecondsSinceEpoch), .blob(orNull: owed)) > 0
    guard !isNew else { return try trim(intent.id.backend) }
    guard let known = try command(intent.id), known.outcome == nil, known.digest == intent.digest
    else {
      throw StoreFailure("the journal has a command with this id already; it is not begun again")
    }
  }

  /// Writes an outcome. A command whose intent could not be written gets a row now, with an empty digest: what was sent
  /// must be known again.
  ///
  /// - Returns: what is owed: `owed` the first time, and that again when the command ends once more, whatever `owed` is by
  ///   then; larger than the limit of details it is not remembered.
  func end(_ id: CommandID, _ outcome: CommandOutcome, owed: OwedItem?) throws -> OwedItem? {
    let bytes = outcome.stored(detailsLimit: limits.detailsBytes)
    let first = try connection.first(
      "SELECT owed FROM journal WHERE backend=? AND id=? AND outcome IS NOT NULL",
      .text(id.backend), .text(id.id), body: { $0.blob(0).flatMap(OwedItem.init(stored:)) })
    let item = (first ?? nil) ?? owed
    let kept = item?.stored
    let stored = kept.flatMap { $0.count <= limits.detailsBytes ? $0 : nil }
    let known = try connection.run(
      "UPDATE journal SET outcome=?, owed=? WHERE backend=? AND id=?", .blob(bytes),
      .blob(orNull: stored), .text(id.backend), .text(id.id))
    guard known == 0 else { return owed == nil ? nil : item }
    try connection.run(
      """
      INSERT INTO journal(backend, id, digest, wire_name, kind, at, outcome, owed)
      VALUES(?,?,'','','',?,?,?)
      """,
      .text(id.backend), .text(id.id), .integer(now.millisecondsSinceEpoch), .blob(bytes),
      .blob(orNull: stored))
    try trim(id.backend)
    return item
  }

  /// Notes that nothing is owed for a command any more, should its end stay unknown.
  func answerEarly(_ id: CommandID) throws {
    try connection.run(
      "UPDATE journal SET owed=NULL WHERE backend=? AND id=? AND outcome IS NULL",
      .text(id.backend), .text(id.id))
  }

  /// Puts a command that has ended among the newest, where it is among those that go first: a far side that hands it out
  /// for ever must find it known for ever.
  func renew(_ id: CommandID) throws {
    let old = now.advanced(by: .zero - limits.journalAge / 2).millisecondsSinceEpoch
    try connection.run(
      """
      UPDATE journal SET number=(SELECT MAX(number) FROM journal)+1, at=?3
      WHERE backend=?1 AND id=?2 AND outcome IS NOT NULL AND (at<?4 OR (
        SELECT COUNT(*) FROM journal AS newer WHERE newer.backend=?1 AND newer.number>journal.number)>?5)
      """,
      .text(id.backend), .text(id.id), .integer(now.millisecondsSinceEpoch), .integer(old),
      .integer(limits.journalCount / 2))
  }

  func hasUnfinished() throws -> Bool {
    try connection.number("SELECT EXISTS(SELECT 1 FROM journal WHERE outcome IS NULL)") != 0
  }

  /// The first command without an end behind the one of this number.
  func nextUnfinished(
    after number: Int64
  ) throws -> (number: Int64, command: InterruptedCommand, owed: OwedItem?)? {
    try connection.first(
      """
      SELECT backend, id, wire_name, digest, at, owed, number FROM journal
      WHERE outcome IS NULL AND number>? ORDER BY number LIMIT 1
      """, .integer(number)
    ) { row in
      let command = InterruptedCommand(
        id: CommandID(backend: row.text(0), id: row.text(1)), wireName: row.text(2),
        digest: row.text(3), at: WallTime(millisecondsSinceEpoch: row.integer(4)))
      return (row.integer(6), command, row.blob(5).flatMap(OwedItem.init(stored:)))
    }
  }

  private func trim(_ backend: String) throws {
    // Those that were never begun, of which there may be thousands at once, and the others each for themselves.
    for isBegun in [false, true] {
      try connection.run(
        """
        DELETE FROM journal WHERE backend=?1 AND (digest<>'')=?3 AND outcome IS NOT NULL AND number <=
          (SELECT number FROM journal WHERE backend=?1 AND (digest<>'')=?3
           ORDER BY number DESC LIMIT 1 OFFSET ?2)
        """,
        .text(backend), .integer(limits.journalCount), .integer(isBegun ? 1 : 0))
    }
    // In their order: the first one that is young enough ends it.
    let limit = now.advanced(by: .zero - limits.journalAge).millisecondsSinceEpoch
    while let number = try connection.first(
      "SELECT number, at FROM journal WHERE backend=? AND outcome IS NOT NULL ORDER BY number LIMIT 1",
      .text(backend), body: { $0.integer(1) < limit ? $0.integer(0) : nil }), let number
    {
      try connection.run("DELETE FROM journal WHERE number=?", .integer(number))
    }
  }
}
