internal import ConnectorKit
internal import JSON
internal import Platform

/// The store as the gate sees it: every call has an end, and one that hangs does not hang the gate.
final class GateJournal: Sendable {
  private struct Unwritten: Sendable {
    var id: CommandID
    var outcome: CommandOutcome
    /// Where its row may be missing.
    var intent: CommandIntent?
  }
  private struct State {
    var problem: String?
    /// How many calls have been given up and have not come back.
    var late = 0
    /// How many calls are on their way.
    var pending = 0
    var idlers: [Promise<Void>] = []
    var unwritten: [Unwritten] = []
    /// Values that are still to be written, and in which order.
    var dirty: [(name: String, value: JSONValue)] = []
    var isSaving = false
    var isRetrying = false
    var isClosed = false
  }
  /// So long a call may take that a command waits for.
  static let patience = Duration.seconds(5)
  /// So long pause and cancel wait for their row.
  static let urgentPatience = Duration.milliseconds(250)
  /// After so long what could not be written is tried again.
  static let retryInterval = Duration.seconds(30)
  /// So many outcomes are kept for that.
  static let maximumUnwritten = 500

  private let store: any CommandStore
  private let time: any TimeSource
  private let log: Log
  private let executor: (any TaskExecutor)?
  private let onOwed: @Sendable (String) -> Void
  private let owe: @Sendable (String, OwedItem) async -> Void
  private let state = Guarded(State())

  init(
    store: any CommandStore, time: any TimeSource, log: Log, executor: (any TaskExecutor)?,
    onOwed: @escaping @Sendable (String) -> Void,
    owe: @escaping @Sendable (String, OwedItem) async -> Void
  ) {
    self.store = store
    self.time = time
    self.log = log
    self.executor = executor
    self.onOwed = onOwed
    self.owe = owe
  }

  /// Why it cannot be written; nil: it can, as far as is known.
  var problem: String? { state.withLock { $0.problem } }

  /// What is known of a command; nil inside where it was never seen, nil outside where the journal does not say.
  func lookUp(_ id: CommandID, within limit: Duration) async -> StoredCommand?? {
    await attempt(within: limit) { store throws(StoreFailure) in try await store.command(id) }
  }

  /// Writes an intent.
  ///
  /// - Returns: whether it is on the disk. If not, it may get there later.
  func begin(_ intent: CommandIntent, within limit: Duration) async -> Bool {
    await attempt(within: limit) { store throws(StoreFailure) in try await store.begin(intent) }
      != nil
  }

  /// Writes an outcome and what is owed for it, in one. Where the disk does not take it, what is owed goes into the
  /// backend's outbox at once, which keeps it in memory; the outcome alone is written when that can be done.
  ///
  /// - Parameter intent: the row, for a command that was sent without waiting for it.
  /// - Returns: a promise that is kept when it is on the disk, or cannot be put there now.
  @discardableResult
  func end(
    _ id: CommandID, _ outcome: CommandOutcome, owed: OwedItem?, intent: CommandIntent? = nil
  ) -> Promise<Void> {
    let done = Promise<Void>()
    call { store throws(StoreFailure) in
      if let intent {
        try await store.record(intent, outcome, owed: owed)
      } else {
        try await store.end(id, outcome, owed: owed)
      }
    } then: { [self] written in
      if written == nil {
        keep(Unwritten(id: id, outcome: outcome, intent: intent))
        if let owed { await owe(id.backend, owed) }
      } else if owed != nil {
        onOwed(id.backend)
      }
      done.resolve(())
    }
    return done
  }

  /// Writes what the far side is owed for a command that has not ended: its end owes nothing then, whatever becomes of us.
  func answerEarly(_ id: CommandID, _ owed: OwedItem) {
    call { store throws(StoreFailure) in
      try await store.answerEarly(id, owed)
    } then: { [self] written in
      if written == nil { await owe(id.backend, owed) } else { onOwed(id.backend) }
    }
  }

  /// Keeps a command from being forgotten, whenever that can be done.
  func renew(_ id: CommandID) {
    call { store throws(StoreFailure) in
      try await store.renew(id)
    } then: { _ in
    }
  }

  /// Reads values.
  ///
  /// - Returns: nil where the store does not say.
  func values(_ names: [String], within limit: Duration) async -> [String: JSONValue]? {
    await attempt(within: limit) { store throws(StoreFailure) in
      var values: [String: JSONValue] = [:]
      for name in names { values[name] = try await store.value(name) }
      return values
    }
  }

  /// Writes values, whenever that can be done; the newest of a name wins.
  func save(_ values: [String: JSONValue]) {
    let isFirst = state.withLock { state in
      for (name, value) in values.sorted(by: { $0.key < $1.key }) {
        state.dirty.removeAll { $0.name == name }
        state.dirty.append((name, value))
      }
      defer { state.isSaving = true }
      return !state.isSaving
    }
    if isFirst { saveNext() }
  }

  /// Writes a value now.
  ///
  /// - Returns: whether it is on the disk.
  func set(_ name: String, _ value: JSONValue) async -> Bool {
    await attempt(within: Self.patience) { store throws(StoreFailure) in
      try await store.setValue(name, value)
    } != nil
  }

  /// What is known of a file that a backend brought; as ``lookUp(_:within:)``.
  func ownFile(_ path: GCodePath) async -> OwnFile?? {
    await attempt(within: Self.patience) { store throws(StoreFailure) in
      try await store.ownFile(path)
    }
  }

  /// The files that a backend brought, oldest first; nil where the store does not say.
  func ownFiles(of backend: String) async -> [OwnFile]? {
    await attempt(within: Self.patience) { store throws(StoreFailure) in
      try await store.ownFiles(of: backend)
    }
  }

  /// Notes a file that a backend brought.
  func note(_ file: OwnFile) async -> Bool {
    await attempt(within: Self.patience) { store throws(StoreFailure) in
      try await store.note(file)
    } != nil
  }

  /// Forgets a file that a backend brought.
  func forget(_ path: GCodePath) {
    call { store throws(StoreFailure) in
      try await store.forget(path)
    } then: { _ in
    }
  }

  /// Returns when nothing is on its way any more.
  func settled() async {
    let idle = Promise<Void>()
    let isIdle = state.withLock { state in
      if state.pending > 0 { state.idlers.append(idle) }
      return state.pending == 0
    }
    if !isIdle { _ = await idle.value() }
  }

  /// Tries nothing again from now on.
  func close() { state.withLock { $0.isClosed = true } }

  // MARK: Calls

  private typealias Body<Value> = @Sendable (any CommandStore) async throws(StoreFailure) -> Value

  /// Calls the store and waits for at most `limit`, not at all while an earlier call hangs.
  private func attempt<Value: Sendable>(
    within limit: Duration, _ body: @escaping Body<Value>
  ) async -> Value? {
    let answer = Promise<Value?>()
    let isStuck = state.withLock { $0.late > 0 }
    let wasGivenUp = Guarded(false)
    call(body) { [self] value in
      answer.resolve(value)
      if wasGivenUp.withLock({ $0 }) { state.withLock { $0.late -= 1 } }
    }
    if isStuck { return answer.current ?? nil }
    if let value = await answer.value(within: limit, time: time) { return value }
    let isLate = wasGivenUp.withLock { isGivenUp in
      if answer.current != nil { return false }
      isGivenUp = true
      state.withLock { $0.late += 1 }
      return true
    }
    if isLate { fail("no answer from the disk within \(limit)") }
    return isLate ? nil : answer.current ?? nil
  }

  private func call<Value: Sendable>(
    _ body: @escaping Body<Value>, then: @escaping @Sendable (Value?) async -> Void
  ) {
    state.withLock { $0.pending += 1 }
    Task(executorPreference: executor) { [self] in
      do throws(StoreFailure) {
        let value = try await body(store)
        await then(value)
        succeed()
      } catch {
        fail(error.description)
        await then(nil)
      }
      let idlers = state.withLock { state in
        state.pending -= 1
        guard state.pending == 0 else { return [Promise<Void>]() }
        defer { state.idlers = [] }
        return state.idlers
      }
      for idler in idlers { idler.resolve(()) }
    }
  }

  private func succeed() {
    let (wasBroken, retries) = state.withLock { state in
      guard state.problem != nil, state.late == 0 else { return (false, [Unwritten]()) }
      state.problem = nil
      defer { state.unwritten = [] }
      return (true, state.unwritten)
    }
    guard wasBroken else { return }
    log(.info, "the journal can be written again")
    for item in retries { end(item.id, item.outcome, owed: nil, intent: item.intent) }
    resumeSaving()
  }

  private func fail(_ problem: String) {
    let isNew = state.withLock { state in
      defer { state.problem = problem }
      return state.problem == nil
    }
    guard isNew else { return }
    log(
      .error,
      "the journal cannot be written: \(problem); until it can, the clouds may only look, pause, cancel and stop"
    )
  }

  // MARK: What could not be written

  private func keep(_ item: Unwritten) {
    state.withLock { state in
      guard state.unwritten.count < Self.maximumUnwritten else { return }
      state.unwritten.append(item)
    }
    retryLater()
  }

  private func retryLater() {
    let isFirst = state.withLock { state in
      guard !state.isClosed else { return false }
      defer { state.isRetrying = true }
      return !state.isRetrying
    }
    guard isFirst else { return }
    Task(executorPreference: executor) { [self] in
      try? await time.sleep(for: Self.retryInterval)
      let items = state.withLock { state in
        state.isRetrying = false
        defer { state.unwritten = [] }
        return state.isClosed ? [] : state.unwritten
      }
      for item in items { end(item.id, item.outcome, owed: nil, intent: item.intent) }
      resumeSaving()
    }
  }

  private func resumeSaving() {
    let isFirst = state.withLock { state in
      guard !state.isSaving, !state.dirty.isEmpty, !state.isClosed else { return false }
      state.isSaving = true
      return true
    }
    if isFirst { saveNext() }
  }

  private func saveNext() {
    let next = state.withLock { state -> (name: String, value: JSONValue)? in
      guard let first = state.dirty.first else {
        state.isSaving = false
        return nil
      }
      state.dirty.removeFirst()
      return first
    }
    guard let next else { return }
    call { store throws(StoreFailure) in
      try await store.setValue(next.name, next.value)
    } then: {
      [self] written in
      guard written == nil else { return saveNext() }
      state.withLock { state in
        if !state.dirty.contains(where: { $0.name == next.name }) {
          state.dirty.insert(next, at: 0)
        }
        state.isSaving = false
      }
      retryLater()
    }
  }
}
