internal import CSQLite
internal import Glibc

extension DatabaseError {
  /// What SQLite said of its last call on `handle`; `code` may be an extended one.
  static func current(_ code: Int32, _ handle: OpaquePointer?, doing: String) -> DatabaseError {
    var words =
      if let handle = unsafe handle, let text = unsafe sqlite3_errmsg(handle) {
        unsafe String(cString: text)
      } else if let text = unsafe sqlite3_errstr(code) {
        unsafe String(cString: text)
      } else {
        "unknown"
      }
    let cause = unsafe handle.map { unsafe sqlite3_system_errno($0) } ?? 0
    let kind = kind(of: code, errorNumber: cause)
    if kind == .inaccessible && cause != 0 { words += ", errno \(cause)" }
    return DatabaseError(kind, "cannot \(doing): \(words) (SQLite \(code))")
  }

  /// The kind of an SQLite result code, with the system's error number behind it.
  static func kind(of code: Int32, errorNumber: Int32) -> Kind {
    switch code & 0xFF {
    case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged
    case SQLITE_FULL: .full
    case SQLITE_IOERR, SQLITE_CANTOPEN:
      // SQLite knows ENOSPC while it writes pages only.
      isFull(errorNumber) ? .full : .inaccessible
    case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH, SQLITE_BUSY, SQLITE_LOCKED: .inaccessible
    default: .other
    }
  }

  /// Whether the system's error number says that there is no room.
  static func isFull(_ errorNumber: Int32) -> Bool {
    errorNumber == ENOSPC || errorNumber == EDQUOT
  }
}
