internal import ConnectorKit
internal import Platform

/// Where all backends' outboxes lie; on the disk when a call returns.
protocol OutboxStore: Sendable {
  /// Puts an item in, or in the place of the one with its key.
  ///
  /// - Returns: the entries that had to go for it (count, bytes), for the log.
  func put(_ item: OwedItem, of backend: String, at: WallTime) async throws(StoreFailure) -> Int
  /// The oldest entry of a backend behind the one of this number.
  func oldest(of backend: String, after number: Int64) async throws(StoreFailure) -> OutboxEntry?
  /// Removes an entry.
  func remove(_ number: Int64) async throws(StoreFailure)
  /// Counts an attempt.
  func countAttempt(_ number: Int64) async throws(StoreFailure)
  /// How many entries each backend has.
  func counts() async throws(StoreFailure) -> [String: Int]
  /// How many entries of a backend were lost other than by ``put(_:of:at:)`` (with a command's end, or too old to be
  /// delivered) since this was asked before.
  func takeDrops(of backend: String) -> Int
}

extension OutboxStore {
  /// The oldest entry of a backend.
  func oldest(of backend: String) async throws(StoreFailure) -> OutboxEntry? {
    try await oldest(of: backend, after: 0)
  }
  func takeDrops(of backend: String) -> Int { 0 }
}
