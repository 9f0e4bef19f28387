import Database
import Foundation
import Platform
import Testing

private let simple = Schema([["CREATE TABLE t(name TEXT PRIMARY KEY, value BLOB, size REAL)"]])

@Suite("SQLite connection") struct ConnectionTests {
  @Test("Values of every type come back as they went in")
  func values() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let connection = try Connection(opening: folder + "/a.db", schema: simple)
    let odd = "é\u{0}\u{1F5A8}'; DROP TABLE t"
    try connection.run("INSERT INTO t VALUES(?,?,?)", .text(odd), .blob([0, 255, 0]), .real(0.1))
    try connection.run("INSERT INTO t VALUES(?,?,?)", "", .blob([]), .null)
    let row = try connection.first("SELECT * FROM t WHERE name=?", .text(odd)) {
      ($0.text(0), $0.blob(1), $0.real(2))
    }
    #expect(row?.0 == odd)
    #expect(row?.1 == [0, 255, 0])
    #expect(row?.2 == 0.1)
    let empty = try connection.first("SELECT * FROM t WHERE name=''") {
      ($0.text(0), $0.blob(1), $0.isNull(1), $0.isNull(2))
    }
    #expect(empty?.0 == "")
    #expect(empty?.1 == [])
    #expect(empty?.2 == false)
    #expect(empty?.3 == true)
    #expect(try connection.number("SELECT COUNT(*) FROM t") == 2)
  }

  @Test("Texts are told apart by their bytes, not by how they look")
  func spelling() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let connection = try Connection(opening: folder + "/a.db", schema: simple)
    try connection.run("INSERT INTO t VALUES(?,NULL,NULL)", "\u{E9}")
    try connection.run("INSERT INTO t VALUES(?,NULL,NULL)", "e\u{301}")
    #expect(try connection.number("SELECT COUNT(*) FROM t") == 2)
  }

  @Test("A transaction that throws leaves nothing behind, and the next one works")
  func rollback() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let connection = try Connection(opening: folder + "/a.db", schema: simple)
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try connection.transaction {
        try connection.run("INSERT INTO t VALUES('a',NULL,NULL)")
        throw Stop()
      }
    }
    try connection.transaction {
      _ = try connection.run("INSERT INTO t VALUES('b',NULL,NULL)")
    }
    #expect(try connection.rows("SELECT name FROM t") { $0.text(0) } == ["b"])
  }

  @Test("What was written is there after closing and opening again, closed to others")
  func persistence() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let path = folder + "/a.db"
    let first = try Connection(opening: path, schema: simple)
    try first.run("INSERT INTO t VALUES('a',NULL,NULL)")
    #expect(try Files.information(path)?.mode == 0o600)
    #expect(try Files.information(path + "-wal")?.mode == 0o600)
    #expect(try Files.information(path + "-shm") == nil)
    first.close()
    #expect(throws: DatabaseError.self) { try first.run("DELETE FROM t") }
    try Files.setMode(path, 0o644)
    let second = try Connection(opening: path, schema: simple)
    #expect(try second.number("SELECT COUNT(*) FROM t") == 1)
    #expect(try Files.information(path)?.mode == 0o600)
  }

  @Test("It is written through to the disk, with a small cache and no mapping")
  func settings() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let connection = try Connection(opening: folder + "/a.db", schema: simple)
    #expect(try connection.first("PRAGMA journal_mode") { $0.text(0) } == "wal")
    #expect(try connection.number("PRAGMA synchronous") == 2)
    #expect(try connection.number("PRAGMA cache_size") == -64)
    #expect(try connection.number("PRAGMA mmap_size") == 0)
  }

  @Test("An older file is brought up to date and keeps what it holds")
  func migration() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let path = folder + "/a.db"
    let old = try Connection(opening: path, schema: simple)
    try old.run("INSERT INTO t VALUES('a',NULL,NULL)")
    old.close()
    let newer = Schema(simple.steps + [["ALTER TABLE t ADD COLUMN more INTEGER DEFAULT 7"]])
    let new = try Connection(opening: path, schema: newer)
    #expect(try new.number("SELECT more FROM t") == 7)
    #expect(try new.number("PRAGMA user_version") == 2)
  }

  @Test("A step that fails leaves the file as it was")
  func failedMigration() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let path = folder + "/a.db"
    try Connection(opening: path, schema: simple).close()
    let broken = Schema(simple.steps + [["CREATE TABLE u(a)", "CREATE TABLE t(a)"]])
    #expect(throws: DatabaseError.self) { try Connection(opening: path, schema: broken) }
    let again = try Connection(opening: path, schema: simple)
    #expect(try again.number("SELECT COUNT(*) FROM sqlite_master WHERE name='u'") == 0)
    #expect(try again.number("PRAGMA user_version") == 1)
  }

  @Test("A file of the next version can be used, one of a much newer program is refused and kept")
  func newer() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let path = folder + "/a.db"
    let steps = simple.steps + [["CREATE TABLE u(a)"]]
    try Connection(opening: path, schema: Schema(steps)).close()
    try Connection(opening: path, schema: simple).close()
    try Connection(opening: path, schema: Schema(steps + [["CREATE TABLE v(a)"]])).close()
    let error = #expect(throws: DatabaseError.self) {
      try Connection(opening: path, schema: simple)
    }
    #expect(error?.kind == .tooNew)
    #expect(error?.description.contains(path) == true)
    #expect(try Files.information(path) != nil)
  }

  @Test("A second user of the file is turned away")
  func exclusive() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let path = folder + "/a.db"
    let first = try Connection(opening: path, schema: simple)
    let error = #expect(throws: DatabaseError.self) {
      try Connection(opening: path, schema: simple)
    }
    #expect(error?.kind == .inaccessible)
    try first.run("INSERT INTO t VALUES('a',NULL,NULL)")
  }

  @Test("A full file is said to be full, and takes more once something was removed")
  func full() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let connection = try Connection(
      opening: folder + "/a.db", schema: simple, byteLimit: 64 << 10)
    let block = SQLValue.blob([UInt8](repeating: 7, count: 8_000))
    let error = #expect(throws: DatabaseError.self) {
      for number in 0..<20 {
        try connection.transaction {
          _ = try connection.run("INSERT INTO t VALUES(?,?,NULL)", .text("\(number)"), block)
        }
      }
    }
    #expect(error?.kind == .full)
    try connection.run("DELETE FROM t WHERE name='0'")
    try connection.run("INSERT INTO t VALUES('again',?,NULL)", block)
  }

  @Test("A place that cannot be written is said to be out of reach")
  func inaccessible() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    try Files.replace(folder + "/file", with: [1])
    try Files.makeFolder(folder + "/folder.db")
    for path in [
      folder + "/file/a.db", folder + "/nowhere/a.db", folder + "/folder.db", "/proc/a.db",
    ] {
      let error = #expect(throws: DatabaseError.self) {
        try Connection(opening: path, schema: simple)
      }
      #expect(error?.kind == .inaccessible, "\(path)")
    }
  }

  @Test("A wrong statement is an error that names it, not a damaged file")
  func wrongStatement() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let connection = try Connection(opening: folder + "/a.db", schema: simple)
    let error = #expect(throws: DatabaseError.self) { try connection.run("SELEKT 1") }
    #expect(error?.kind == .other)
    #expect(error?.description.contains("SELEKT") == true)
  }
}

@Suite("Damaged database") struct DamagedDatabaseTests {
  /// A database of some 300 pages.
  private func make(_ path: String) throws {
    let connection = try Connection(opening: path, schema: simple)
    for number in 0..<100 {
      try connection.run(
        "INSERT INTO t VALUES(?,?,NULL)", .text("\(number)"),
        .blob([UInt8](repeating: 7, count: 10_000)))
    }
    connection.close()
  }

  private func kind(opening path: String) -> DatabaseError.Kind? {
    do {
      _ = try Connection(opening: path, schema: simple)
      return nil
    } catch {
      return error.kind
    }
  }

  @Test("A file that is no database is damaged")
  func noDatabase() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    try Files.replace(folder + "/a.db", with: [UInt8](repeating: 65, count: 5_000))
    #expect(kind(opening: folder + "/a.db") == .damaged)
  }

  @Test("A file that was cut off is damaged", arguments: [100, 3_000, 4_096, 20_000, 500_000])
  func truncated(size: UInt64) throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let path = folder + "/a.db"
    try make(path)
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.truncate(atOffset: size)
    try file.close()
    #expect(kind(opening: path) == .damaged)
  }

  @Test("A page of rubbish in the middle is found on opening")
  func page() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let path = folder + "/a.db"
    try make(path)
    #expect(kind(opening: path) == nil)
    try overwrite(path, at: 4_096, [UInt8](repeating: 0xEE, count: 8_192))
    #expect(kind(opening: path) == .damaged)
  }

  @Test("Rubbish that comes while it is open is found on reading")
  func later() throws {
    let folder = try freshFolder()
    defer { removeFolder(folder) }
    let path = folder + "/a.db"
    try make(path)
    let connection = try Connection(opening: path, schema: simple)
    try overwrite(path, at: 4_096, [UInt8](repeating: 0xEE, count: 1_000_000))
    let error = #expect(throws: DatabaseError.self) {
      try connection.number("SELECT SUM(LENGTH(value)) FROM t WHERE name > ''")
    }
    #expect(error?.kind == .damaged)
  }
}
