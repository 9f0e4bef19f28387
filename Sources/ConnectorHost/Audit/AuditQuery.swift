internal import ConnectorKit

/// Which lines of the audit somebody wants to see, newest first.
struct AuditQuery: Sendable, Hashable {
  /// Where a page ends and the next, older one begins; outlives the audit's rotations.
  struct Position: Sendable, Hashable {
    /// The file's inode.
    var file: Int64
    /// In bytes; the lines in front of it follow.
    var offset: Int64
    /// As it stands in an address: `1234-5678`.
    var text: String { "\(file)-\(offset)" }
    /// A place in a file.
    init(file: Int64, offset: Int64) {
      self.file = file
      self.offset = offset
    }
    /// Reads ``text``; nil where it is none.
    init?(_ text: String) {
      let parts = text.split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 2, let file = Int64(parts[0]), let offset = Int64(parts[1]),
        file >= 0, offset >= 0
      else { return nil }
      self.init(file: file, offset: offset)
    }
  }
  /// The most lines of a page.
  static let mostLines = 200

  /// How many lines, 1 to ``mostLines``.
  var limit = 50
  /// Only lines that are older than this place; nil: from the newest on.
  var before: Position?
  /// Only what this backend wanted; `host`: what a person did here.
  var backend: String?
  /// Only what came to this end.
  var status: CommandOutcome.Status?

  /// Whether a record is wanted.
  func wants(_ record: AuditRecord) -> Bool {
    backend ?? record.backend == record.backend
      && status ?? record.outcome.status == record.outcome.status
  }
}

extension AuditQuery {
  /// Reads a query's parameters; nil where one is not understood.
  init?(_ parameters: [(name: String, value: String)]) {
    self.init()
    for (name, value) in parameters {
      switch name {
      case "limit":
        guard let limit = Int(value), (1...Self.mostLines).contains(limit) else { return nil }
        self.limit = limit
      case "before":
        guard let position = Position(value) else { return nil }
        before = position
      case "backend": backend = value.isEmpty ? nil : value
      case "status":
        guard value.isEmpty || CommandOutcome.Status(rawValue: value) != nil else { return nil }
        status = CommandOutcome.Status(rawValue: value)
      default: return nil
      }
    }
  }
}

/// Some lines of the audit.
struct AuditPage: Sendable, Hashable {
  /// Newest first.
  var lines: [AuditLine] = []
  /// Where to go on; nil: there is nothing older.
  var next: AuditQuery.Position?
}
