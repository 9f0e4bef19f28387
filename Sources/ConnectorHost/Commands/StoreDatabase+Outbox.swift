internal import ConnectorKit
internal import Platform

extension StoreDatabase: OutboxStore {
  func put(
    _ item: OwedItem, of backend: String, at: WallTime
  ) async throws(StoreFailure) -> Int {
    try await write { tables, file in try file.put(item, of: backend, at: at, tables) }
  }

  func oldest(of backend: String, after number: Int64) async throws(StoreFailure) -> OutboxEntry? {
    let (entry, dropped) = try await read { tables, file in
      try tables.outbox.oldest(of: backend, after: number, freshFrom: file.firstFresh)
    }
    drops.note(dropped, of: backend)
    return entry
  }

  func remove(_ number: Int64) async throws(StoreFailure) {
    try await write { tables, _ in try tables.outbox.remove(number) }
  }

  func countAttempt(_ number: Int64) async throws(StoreFailure) {
    try await write { tables, _ in try tables.outbox.countAttempt(number) }
  }

  func counts() async throws(StoreFailure) -> [String: Int] {
    try await read { tables, _ in try tables.outbox.counts() }
  }

  /// The oldest entries of a backend, for people.
  func summaries(of backend: String, limit: Int) async throws(StoreFailure) -> [OwedSummary] {
    try await read { tables, _ in try tables.outbox.summaries(of: backend, limit: limit) }
  }

  func takeDrops(of backend: String) -> Int { drops.take(backend) }
}

extension StoreFile {
  /// Puts an item in, and remembers its number.
  func put(
    _ item: OwedItem, of backend: String, at: WallTime, _ tables: StoreTables
  ) throws -> Int {
    let dropped = try tables.outbox.put(item, of: backend, at: at)
    noteNumber(try tables.outbox.lastNumber())
    return dropped
  }
}
