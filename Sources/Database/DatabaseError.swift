/// Why SQLite did not do what it was asked.
package struct DatabaseError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of obstacle it was.
  package enum Kind: String, Sendable {
    /// The file is damaged, or no database at all.
    case damaged
    /// The disk is full.
    case full
    /// It cannot be written or read: permissions, a read-only file system, an I/O error, held by another program.
    case inaccessible
    /// It was written by a much newer program.
    case tooNew
    /// Anything else.
    case other
  }
  /// The kind.
  package var kind: Kind
  /// SQLite's own words, and what was being done.
  package var description: String
  /// An error.
  package init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
