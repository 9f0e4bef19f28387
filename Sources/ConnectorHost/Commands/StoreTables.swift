internal import ConnectorKit
internal import Database
internal import Platform

/// The store's tables in one open database; on its thread only.
struct StoreTables {
  let connection: Connection
  let limits: StoreLimits
  let now: WallTime

  var journal: StoreJournal { StoreJournal(connection: connection, limits: limits, now: now) }
  var outbox: StoreOutbox { StoreOutbox(connection: connection, limits: limits, now: now) }

  /// Gives every command that the last run left without an end its outcome, and puts what is owed for it into the outbox;
  /// all of it or nothing.
  ///
  /// - Returns: the commands, and how many entries of the outbox had to go.
  func recover() throws -> (found: [InterruptedCommand], dropped: [String: Int]) {
    guard try journal.hasUnfinished() else { return ([], [:]) }
    return try connection.transaction {
      var dropped: [String: Int] = [:]
      var found: [InterruptedCommand] = []
      // One by one: together, what they owe could be large.
      var last: Int64 = 0
      while let (number, command, owed) = try journal.nextUnfinished(after: last) {
        last = number
        let owed = try journal.end(command.id, .interrupted, owed: owed)
        found.append(command)
        guard let owed else { continue }
        let count = try outbox.put(owed, of: command.id.backend, at: now)
        if count > 0 { dropped[command.id.backend, default: 0] += count }
      }
      return (found, dropped)
    }
  }

  func value(_ name: String) throws -> [UInt8]? {
    try connection.first("SELECT value FROM state WHERE name=?", .text(name)) { $0.blob(0) ?? [] }
  }

  func setValue(_ name: String, _ bytes: [UInt8]) throws {
    try connection.run(
      "INSERT INTO state VALUES(?,?) ON CONFLICT(name) DO UPDATE SET value=excluded.value",
      .text(name), .blob(bytes))
  }

  func ownFile(_ path: GCodePath) throws -> OwnFile? {
    try connection.first(
      "SELECT backend, size, modified, sha256, at FROM own_files WHERE path=?", .text(path.text)
    ) { row in
      OwnFile(
        path: path, backend: row.text(0), size: row.integer(1), modified: row.real(2),
        sha256: row.text(3), at: WallTime(millisecondsSinceEpoch: row.integer(4)))
    }
  }

  func ownFiles(of backend: String) throws -> [OwnFile] {
    try connection.rows(
      "SELECT path, size, modified, sha256, at FROM own_files WHERE backend=? ORDER BY at",
      .text(backend)
    ) { row in
      GCodePath(row.text(0)).map { path in
        OwnFile(
          path: path, backend: backend, size: row.integer(1), modified: row.real(2),
          sha256: row.text(3), at: WallTime(millisecondsSinceEpoch: row.integer(4)))
      }
    }.compactMap(\.self)
  }

  /// Notes a file, and forgets the oldest where there are too many; inside the caller's transaction.
  func note(_ file: OwnFile) throws {
    try connection.run(
      "INSERT OR REPLACE INTO own_files VALUES(?,?,?,?,?,?)", .text(file.path.text),
      .text(file.backend), .integer(file.size), .real(file.modified), .text(file.sha256),
      .integer(file.at.millisecondsSinceEpoch))
    let surplus = try connection.number("SELECT COUNT(*) FROM own_files") - limits.ownFiles
    guard surplus > 0 else { return }
    try connection.run(
      "DELETE FROM own_files WHERE path IN (SELECT path FROM own_files ORDER BY at LIMIT ?)",
      .integer(surplus))
  }

  func forget(_ path: GCodePath) throws {
    try connection.run("DELETE FROM own_files WHERE path=?", .text(path.text))
  }
}

/// A command that was under way when the last run ended, for the audit.
struct InterruptedCommand: Sendable, Hashable {
  var id: CommandID
  /// The wire's name for it.
  var wireName: String
  /// SHA-256 of the command with its parameters.
  var digest: String
  /// When it was begun.
  var at: WallTime
}
