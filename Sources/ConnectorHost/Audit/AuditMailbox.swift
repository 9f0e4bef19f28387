/// Audit records on their way to the disk, bounded: who writes faster than the disk takes loses the newest.
struct AuditMailbox: Sendable {
  private static let limit = 2_000
  private var records: [AuditRecord] = []
  private var lost = 0

  /// Puts a record in, or counts it as lost where there is no room.
  ///
  /// - Returns: whether the writer has to be woken.
  mutating func put(_ record: AuditRecord) -> Bool {
    guard records.count < Self.limit else {
      lost += 1
      return false
    }
    records.append(record)
    return records.count == 1
  }

  /// All records in order, and how many were lost after them.
  mutating func takeAll() -> (records: [AuditRecord], lost: Int) {
    defer { self = AuditMailbox() }
    return (records, lost)
  }
}
