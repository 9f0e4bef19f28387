internal import ConnectorKit
internal import JSON

extension StoreDatabase: CommandStore {
  func command(_ id: CommandID) async throws(StoreFailure) -> StoredCommand? {
    try await read { tables, _ in try tables.journal.command(id) }
  }

  func begin(_ intent: CommandIntent) async throws(StoreFailure) {
    try await write { tables, _ in try tables.journal.begin(intent) }
  }

  func end(
    _ id: CommandID, _ outcome: CommandOutcome, owed: OwedItem?
  ) async throws(StoreFailure) {
    let dropped = try await write { tables, file in
      let owed = try tables.journal.end(id, outcome, owed: owed)
      return try owed.map { try file.put($0, of: id.backend, at: tables.now, tables) } ?? 0
    }
    drops.note(dropped, of: id.backend)
  }

  func record(
    _ intent: CommandIntent, _ outcome: CommandOutcome, owed: OwedItem?
  ) async throws(StoreFailure) {
    let dropped = try await write { tables, file in
      // A stop acts under a known id too: what is known of that one stays.
      let known = try tables.journal.command(intent.id)
      if known == nil { try tables.journal.begin(intent) }
      var owed = owed
      if known.map({ $0.outcome == nil && $0.digest == intent.digest }) ?? true {
        owed = try tables.journal.end(intent.id, outcome, owed: owed)
      }
      return try owed.map { try file.put($0, of: intent.id.backend, at: tables.now, tables) } ?? 0
    }
    drops.note(dropped, of: intent.id.backend)
  }

  func answerEarly(_ id: CommandID, _ owed: OwedItem) async throws(StoreFailure) {
    let dropped = try await write { tables, file in
      try tables.journal.answerEarly(id)
      return try file.put(owed, of: id.backend, at: tables.now, tables)
    }
    drops.note(dropped, of: id.backend)
  }

  func renew(_ id: CommandID) async throws(StoreFailure) {
    try await write { tables, _ in try tables.journal.renew(id) }
  }

  func value(_ name: String) async throws(StoreFailure) -> JSONValue? {
    let bytes = try await read { tables, _ in try tables.value(name) }
    // What is there and cannot be read is not the same as what was never set.
    return bytes.map { (try? JSONValue(parsing: $0, limits: .store)) ?? .null }
  }

  func setValue(_ name: String, _ value: JSONValue) async throws(StoreFailure) {
    let bytes = value.serialized()
    try await write { tables, _ in try tables.setValue(name, bytes) }
  }

  func ownFile(_ path: GCodePath) async throws(StoreFailure) -> OwnFile? {
    try await read { tables, _ in try tables.ownFile(path) }
  }

  func ownFiles(of backend: String) async throws(StoreFailure) -> [OwnFile] {
    try await read { tables, _ in try tables.ownFiles(of: backend) }
  }

  func note(_ file: OwnFile) async throws(StoreFailure) {
    try await write { tables, _ in try tables.note(file) }
  }

  func forget(_ path: GCodePath) async throws(StoreFailure) {
    try await write { tables, _ in try tables.forget(path) }
  }
}
