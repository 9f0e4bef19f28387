/// How much the store holds; what a test may want smaller.
struct StoreLimits: Sendable {
  /// Commands per backend that the journal remembers.
  var journalCount: Int64 = 1_000
  /// How long it remembers them.
  var journalAge: Duration = .seconds(30 * 86_400)
  /// Items per backend in the outbox.
  var outboxCount: Int64 = 500
  /// Bytes of JSON per backend in the outbox.
  var outboxBytes: Int64 = 16 << 20
  /// The largest item, in bytes of JSON.
  var itemBytes = 4 << 20
  /// How long an item is worth delivering.
  var outboxAge: Duration = .seconds(7 * 86_400)
  /// The largest `details` of an outcome in the journal, in bytes of JSON; larger ones are left out.
  var detailsBytes = 64 << 10
  /// Files in the manifest of own files; beyond it the oldest are nobody's.
  var ownFiles: Int64 = 10_000
  /// The largest size of the database file, in bytes.
  var fileBytes: Int64 = 256 << 20
  /// How long after a failure to open the file it is tried again.
  var retryAfter: Duration = .seconds(10)
  /// How many damaged files are kept for whoever wants to look into them.
  var damagedFiles = 3
}
