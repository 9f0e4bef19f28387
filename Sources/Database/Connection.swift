internal import CSQLite
internal import Platform

/// Owner of one SQLite database file, which no other process can use meanwhile.
///
/// WAL, `synchronous=FULL`: what a transaction wrote is on the disk when it returns. Every call blocks, and it belongs
/// to one thread at a time: keep it on a ``DatabaseThread``.
@safe package final class Connection {
  /// Files up to this size, in bytes, are checked as a whole when they are opened; larger ones as they are read.
  private static let checkedSize: Int64 = 32 << 20

  private var handle: OpaquePointer?
  private var statements: [String: Statement] = [:]

  /// Opens the file at `path`, makes it (0600) where it is missing, and brings it to `schema`.
  ///
  /// - Parameters:
  ///   - byteLimit: the largest size of the file; beyond it, writing fails as on a full disk.
  ///   - isChecked: whether it is looked at as a whole first; not, where what is left of a damaged one is to be read.
  /// - Throws: `DatabaseError`; `.tooNew` for a file of a much newer program, which is left as it is.
  package init(
    opening path: String, schema: Schema, byteLimit: Int64 = 256 << 20,
    isChecked: Bool = true
  ) throws(DatabaseError) {
    let size = try Self.prepareFile(path)
    unsafe handle = try Self.open(path)
    try execute("PRAGMA busy_timeout=1000")
    // No other process has business here; so the index of the WAL lies in memory instead of a shared mapping.
    try execute("PRAGMA locking_mode=EXCLUSIVE")
    try execute("PRAGMA cache_size=-64")
    try execute("PRAGMA mmap_size=0")
    try execute("PRAGMA temp_store=MEMORY")
    try execute("PRAGMA trusted_schema=OFF")
    try execute("PRAGMA cell_size_check=ON")
    let found = try number("PRAGMA user_version")
    guard found <= schema.newestUsable else {
      throw DatabaseError(
        .tooNew,
        "\(path) was written by a newer program (version \(found), this one knows \(schema.version)); install that one again, or move the file away"
      )
    }
    if isChecked, size <= Self.checkedSize { try check() }
    try execute("PRAGMA journal_mode=WAL")
    try execute("PRAGMA synchronous=FULL")
    try execute("PRAGMA journal_size_limit=1048576")
    let pages = byteLimit / max(512, try number("PRAGMA page_size"))
    try execute("PRAGMA max_page_count=\(max(1, pages))")
    try migrate(from: found, to: schema)
  }

  deinit { close() }

  /// Closes the file; every later call fails.
  package func close() {
    statements = [:]
    unsafe sqlite3_close_v2(handle)
    unsafe handle = nil
  }

  /// Runs one statement that yields nothing.
  ///
  /// - Returns: how many rows it changed.
  @discardableResult
  package func run(_ sql: String, _ values: SQLValue...) throws(DatabaseError) -> Int {
    let statement = try prepared(sql)
    defer { statement.reset() }
    try statement.bind(values)
    while try statement.step() {}
    return Int(unsafe sqlite3_changes(handle))
  }

  /// What `body` makes of each row.
  package func rows<Element>(
    _ sql: String, _ values: SQLValue..., body: (Row) -> Element
  ) throws(DatabaseError) -> [Element] {
    let statement = try prepared(sql)
    defer { statement.reset() }
    try statement.bind(values)
    var elements: [Element] = []
    while try statement.step() { elements.append(body(Row(statement: statement))) }
    return elements
  }

  /// What `body` makes of the first row; nil where there is none.
  package func first<Element>(
    _ sql: String, _ values: SQLValue..., body: (Row) -> Element
  ) throws(DatabaseError) -> Element? {
    let statement = try prepared(sql)
    defer { statement.reset() }
    try statement.bind(values)
    return try statement.step() ? body(Row(statement: statement)) : nil
  }

  /// The integer of the first row's first column; 0 where there is none.
  package func number(_ sql: String, _ values: SQLValue...) throws(DatabaseError) -> Int64 {
    let statement = try prepared(sql)
    defer { statement.reset() }
    try statement.bind(values)
    return try statement.step() ? statement.integer(0) : 0
  }

  /// The number of the row that was inserted last.
  package var lastInserted: Int64 { unsafe handle == nil ? 0 : sqlite3_last_insert_rowid(handle) }

  /// Runs `body` in one transaction: all of it is on the disk on return, or nothing of it when it throws.
  package func transaction<Result>(_ body: () throws -> Result) throws -> Result {
    try run("BEGIN IMMEDIATE")
    do {
      let result = try body()
      try run("COMMIT")
      return result
    } catch {
      // Where SQLite has rolled back by itself, this fails, and nothing is lost by that.
      if unsafe sqlite3_get_autocommit(handle) == 0 { _ = try? run("ROLLBACK") }
      throw error
    }
  }
}

extension Connection {
  private func prepared(_ sql: String) throws(DatabaseError) -> Statement {
    guard let handle = unsafe handle else {
      throw DatabaseError(.inaccessible, "the database is closed")
    }
    if let statement = statements[sql] { return statement }
    let statement = unsafe try Statement(sql, on: handle)
    statements[sql] = statement
    return statement
  }

  /// Runs a statement that is not needed again.
  private func execute(_ sql: String) throws(DatabaseError) {
    guard let handle = unsafe handle else { return }
    let statement = unsafe try Statement(sql, on: handle)
    while try statement.step() {}
  }

  /// Makes the file where it is missing, closed to others; SQLite gives the files beside it the same mode and owner.
  ///
  /// - Returns: its size in bytes.
  private static func prepareFile(_ path: String) throws(DatabaseError) -> Int64 {
    do {
      guard let found = try Files.information(path) else {
        try Files.replace(path, with: [], mode: 0o600)
        return 0
      }
      guard found.kind == .file else {
        throw DatabaseError(.inaccessible, "\(path) is no file; move it away")
      }
      for file in [path, path + "-wal"] {
        guard let found = try Files.information(file), found.mode & 0o077 != 0 else { continue }
        try Files.setMode(file, 0o600)
      }
      return found.size
    } catch let error as DatabaseError {
      throw error
    } catch let error as PlatformError {
      throw DatabaseError(
        DatabaseError.isFull(error.errorNumber) ? .full : .inaccessible, "\(error)")
    } catch {
      throw DatabaseError(.inaccessible, "\(error)")
    }
  }

  private static func open(_ path: String) throws(DatabaseError) -> OpaquePointer {
    var handle: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    let code = unsafe sqlite3_open_v2(path, &handle, flags, nil)
    guard code == SQLITE_OK, let opened = unsafe handle else {
      let failure = unsafe DatabaseError.current(code, handle, doing: "open \(path)")
      unsafe sqlite3_close_v2(handle)
      throw failure
    }
    // Where it may not be written, SQLite opens it for reading only.
    guard unsafe sqlite3_db_readonly(opened, "main") == 0 else {
      unsafe sqlite3_close_v2(opened)
      throw DatabaseError(.inaccessible, "cannot open \(path) for writing")
    }
    return unsafe opened
  }

  /// Looks whether the file is whole.
  private func check() throws(DatabaseError) {
    let found = try first("PRAGMA quick_check(1)") { $0.text(0) }
    statements = [:]
    guard found == "ok" else {
      throw DatabaseError(.damaged, "the check found: \(found ?? "nothing")")
    }
  }

  private func migrate(from found: Int64, to schema: Schema) throws(DatabaseError) {
    guard found < schema.version else { return }
    do {
      try transaction {
        for step in schema.steps.dropFirst(Int(clamping: max(0, found))) {
          for sql in step { try execute(sql) }
        }
        try execute("PRAGMA user_version=\(schema.version)")
      }
    } catch let error as DatabaseError {
      throw error
    } catch {
      throw DatabaseError(.other, "\(error)")
    }
  }
}
