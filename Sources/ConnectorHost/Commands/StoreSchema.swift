internal import Database

extension Schema {
  /// What `commands.db` holds. No more indexes than needed: each is a page more that every command writes.
  static let store = Schema([
    [
      """
      CREATE TABLE journal(
        number INTEGER PRIMARY KEY, backend TEXT NOT NULL, id TEXT NOT NULL,
        digest TEXT NOT NULL, wire_name TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL,
        outcome BLOB, owed BLOB, UNIQUE(backend, id))
      """,
      "CREATE INDEX journal_order ON journal(backend, number)",
      """
      CREATE TABLE outbox(
        number INTEGER PRIMARY KEY AUTOINCREMENT, backend TEXT NOT NULL, key TEXT NOT NULL,
        kind TEXT NOT NULL, since INTEGER NOT NULL, attempts INTEGER NOT NULL,
        expendable INTEGER NOT NULL, bytes INTEGER NOT NULL, body BLOB NOT NULL,
        UNIQUE(backend, key))
      """,
      // Counts and sums are answered from the index, without a look at the bodies.
      "CREATE INDEX outbox_order ON outbox(backend, number, expendable, bytes)",
      """
      CREATE TABLE own_files(
        path TEXT PRIMARY KEY, backend TEXT NOT NULL, size INTEGER NOT NULL, modified REAL NOT NULL,
        sha256 TEXT NOT NULL, at INTEGER NOT NULL)
      """,
      "CREATE INDEX own_files_age ON own_files(at)",
      "CREATE TABLE state(name TEXT PRIMARY KEY, value BLOB NOT NULL)",
    ]
  ])
}
