internal import CSQLite

/// Owner of one prepared statement.
@safe final class Statement {
  private let handle: OpaquePointer
  private let database: OpaquePointer
  private let sql: String

  init(_ sql: String, on database: OpaquePointer) throws(DatabaseError) {
    var handle: OpaquePointer?
    let code = unsafe sqlite3_prepare_v3(
      database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
    guard code == SQLITE_OK, let handle = unsafe handle else {
      throw unsafe .current(code, database, doing: "prepare \(Self.shortened(sql))")
    }
    unsafe self.handle = unsafe handle
    unsafe self.database = unsafe database
    self.sql = sql
  }

  deinit { unsafe sqlite3_finalize(handle) }

  /// Binds all parameters, first to last.
  func bind(_ values: [SQLValue]) throws(DatabaseError) {
    for (place, value) in values.enumerated() {
      let index = Int32(clamping: place + 1)
      let code =
        switch value {
        case .null: unsafe sqlite3_bind_null(handle, index)
        case .integer(let number): unsafe sqlite3_bind_int64(handle, index, number)
        case .real(let number): unsafe sqlite3_bind_double(handle, index, number)
        case .text(let text): bind(text, at: index)
        case .blob(let bytes): bind(bytes, at: index)
        }
      guard code == SQLITE_OK else { throw failure(code) }
    }
  }

  private func bind(_ text: String, at index: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
      // An empty text may have no address, which would mean NULL.
      guard let start = bytes.baseAddress else {
        return unsafe sqlite_shim_bind_text(handle, index, "", 0)
      }
      return unsafe start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
        unsafe sqlite_shim_bind_text(handle, index, $0, Int32(clamping: bytes.count))
      }
    }
  }

  private func bind(_ bytes: [UInt8], at index: Int32) -> Int32 {
    guard !bytes.isEmpty else { return unsafe sqlite3_bind_zeroblob(handle, index, 0) }
    return unsafe bytes.withUnsafeBytes {
      unsafe sqlite_shim_bind_blob(handle, index, $0.baseAddress, Int32(clamping: $0.count))
    }
  }

  /// Goes on to the next row; false at the end.
  func step() throws(DatabaseError) -> Bool {
    let code = unsafe sqlite3_step(handle)
    switch code {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw failure(code)
    }
  }

  /// Makes it ready for the next use; lets go of what was bound.
  func reset() {
    unsafe sqlite3_reset(handle)
    unsafe sqlite3_clear_bindings(handle)
  }

  func isNull(_ column: Int32) -> Bool {
    unsafe sqlite3_column_type(handle, column) == SQLITE_NULL
  }
  func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }
  func real(_ column: Int32) -> Double { unsafe sqlite3_column_double(handle, column) }

  /// A text's or blob's bytes, copied.
  func bytes(_ column: Int32) -> [UInt8] {
    guard let start = unsafe sqlite3_column_blob(handle, column) else { return [] }
    let count = Int(unsafe sqlite3_column_bytes(handle, column))
    return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }

  private func failure(_ code: Int32) -> DatabaseError {
    unsafe .current(code, database, doing: Self.shortened(sql))
  }

  /// The first words: they say what was being done, and hold no values.
  private static func shortened(_ sql: String) -> String {
    sql.utf8.count <= 60 ? sql : "\(sql.prefix(60))…"
  }
}
