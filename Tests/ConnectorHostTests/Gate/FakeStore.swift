import ConnectorKit
import JSON
import Platform

@testable import ConnectorHost

/// A disk on paper. It serves calls in order, and can fail or hang; what is on it outlives the store.
final class FakeDisk: Sendable {
  struct Contents: Sendable {
    var rows: [CommandID: StoredCommand] = [:]
    var owedIfInterrupted: [CommandID: OwedItem] = [:]
    /// What each command was owed when it ended first.
    var owed: [CommandID: OwedItem] = [:]
    /// The owed items of each backend, in order.
    var outbox: [String: [OwedItem]] = [:]
    var values: [String: JSONValue] = [:]
    var files: [GCodePath: OwnFile] = [:]

    mutating func owe(_ item: OwedItem, to backend: String) {
      var items = outbox[backend, default: []]
      if let index = items.firstIndex(where: { $0.key == item.key }) {
        items[index] = item
      } else {
        items.append(item)
      }
      outbox[backend] = items
    }

    /// False for an id that another command has, or that has ended.
    mutating func begin(_ intent: CommandIntent) -> Bool {
      if let row = rows[intent.id] { return row.digest == intent.digest && row.outcome == nil }
      rows[intent.id] = StoredCommand(digest: intent.digest, outcome: nil)
      owedIfInterrupted[intent.id] = intent.owedIfInterrupted
      return true
    }

    /// As the real one: what was never begun gets a row without a digest.
    mutating func end(_ id: CommandID, _ outcome: CommandOutcome, owed: OwedItem?) {
      rows[id, default: StoredCommand(digest: "", outcome: nil)].outcome = outcome
      // The first words to a far side are the only ones.
      guard let owed else { return }
      let item = self.owed[id] ?? owed
      self.owed[id] = item
      owe(item, to: id.backend)
    }

    /// What the host does at its start: what was begun and has no end is unknown, and owed once.
    mutating func recover() {
      for (id, row) in rows where row.outcome == nil {
        rows[id]?.outcome = .interrupted
        if let owed = owedIfInterrupted[id] { owe(owed, to: id.backend) }
      }
    }
  }
  let contents = Guarded(Contents())
}

/// One daemon's way to the disk.
final class FakeStore: CommandStore {
  enum Mood: Sendable { case well, failing, hanging }
  private struct State {
    var mood = Mood.well
    var queue: [@Sendable (Bool) -> Void] = []
    var isWorking = false
    var isDead = false
  }
  let disk: FakeDisk
  private let executor: SteppingExecutor
  private let state = Guarded(State())

  init(disk: FakeDisk, executor: SteppingExecutor) {
    self.disk = disk
    self.executor = executor
  }

  /// How the disk does from now on.
  func become(_ mood: Mood) {
    state.withLock { $0.mood = mood }
    work()
  }

  /// The process is killed: nothing more reaches the disk.
  func die() { state.withLock { $0.isDead = true } }

  private func work() {
    let isFirst = state.withLock { state in
      guard !state.isWorking, !state.queue.isEmpty else { return false }
      state.isWorking = true
      return true
    }
    guard isFirst else { return }
    Task(executorPreference: executor) { [self] in
      while let (call, isWell) = next() {
        await Task.yield()
        call(isWell)
      }
    }
  }

  private func next() -> (@Sendable (Bool) -> Void, Bool)? {
    state.withLock { state in
      guard !state.queue.isEmpty, state.mood != .hanging, !state.isDead else {
        state.isWorking = false
        return nil
      }
      return (state.queue.removeFirst(), state.mood == .well)
    }
  }

  private func call<Value: Sendable>(
    _ body: @escaping @Sendable (inout FakeDisk.Contents) -> Value
  ) async throws(StoreFailure) -> Value {
    let answer = Promise<Value?>()
    state.withLock { state in
      state.queue.append { [disk, self] isWell in
        let isAlive = self.state.withLock { !$0.isDead }
        answer.resolve(isWell && isAlive ? disk.contents.withLock { body(&$0) } : nil)
      }
    }
    work()
    guard let value = await answer.value() ?? nil else { throw StoreFailure("no space left") }
    return value
  }

  func command(_ id: CommandID) async throws(StoreFailure) -> StoredCommand? {
    try await call { $0.rows[id] }
  }

  func begin(_ intent: CommandIntent) async throws(StoreFailure) {
    guard try await call({ $0.begin(intent) }) else { throw StoreFailure("known already") }
  }

  func end(
    _ id: CommandID, _ outcome: CommandOutcome, owed: OwedItem?
  ) async throws(StoreFailure) {
    try await call { $0.end(id, outcome, owed: owed) }
  }

  func record(
    _ intent: CommandIntent, _ outcome: CommandOutcome, owed: OwedItem?
  ) async throws(StoreFailure) {
    let isNew = try await call { contents in
      guard contents.begin(intent) else { return false }
      contents.end(intent.id, outcome, owed: owed)
      return true
    }
    guard isNew else { throw StoreFailure("known already") }
  }

  func answerEarly(_ id: CommandID, _ owed: OwedItem) async throws(StoreFailure) {
    try await call { contents in
      contents.owedIfInterrupted[id] = nil
      contents.owe(owed, to: id.backend)
    }
  }

  func value(_ name: String) async throws(StoreFailure) -> JSONValue? {
    try await call { $0.values[name] }
  }

  func setValue(_ name: String, _ value: JSONValue) async throws(StoreFailure) {
    try await call { $0.values[name] = value }
  }

  func ownFile(_ path: GCodePath) async throws(StoreFailure) -> OwnFile? {
    try await call { $0.files[path] }
  }

  func ownFiles(of backend: String) async throws(StoreFailure) -> [OwnFile] {
    try await call { $0.files.values.filter { $0.backend == backend }.sorted { $0.at < $1.at } }
  }

  func note(_ file: OwnFile) async throws(StoreFailure) {
    try await call { $0.files[file.path] = file }
  }

  func forget(_ path: GCodePath) async throws(StoreFailure) {
    try await call { $0.files[path] = nil }
  }
}
