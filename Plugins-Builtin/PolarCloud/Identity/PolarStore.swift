internal import ConnectorKit
internal import JSON
internal import Platform

/// The entry's record, in memory and on the disk. One change at a time; what could not be stored goes with the next one.
final class PolarStore: Sendable {
  private struct State {
    var record: PolarRecord
    var isSaving = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }
  private let identity: any IdentityStore
  private let time: any TimeSource
  private let state: Guarded<State>

  /// Reads the record.
  ///
  /// - Throws: `BackendFailure` where the file is damaged.
  init(_ identity: any IdentityStore, time: any TimeSource) async throws {
    self.identity = identity
    self.time = time
    state = Guarded(State(record: PolarRecord(try await identity.load() ?? JSONObject())))
  }

  /// The record now. Never blocks.
  var record: PolarRecord { state.withLock { $0.record } }

  /// Takes a change in; ``save()`` stores it. Never blocks.
  func note(_ change: PolarRecord.Change) {
    let now = time.wallTime
    state.withLock { $0.record.apply(change, at: now) }
  }

  /// Takes a change in, and stores it.
  ///
  /// - Throws: what kept it from the disk; in memory it counts all the same.
  func apply(_ change: PolarRecord.Change) async throws {
    note(change)
    try await save()
  }

  /// Changes the record, and stores it.
  ///
  /// - Throws: what kept it from the disk; in memory it counts all the same.
  func update(_ body: @Sendable (inout PolarRecord) -> Void) async throws {
    state.withLock { body(&$0.record) }
    try await save()
  }

  /// Stores the record as it is now.
  ///
  /// - Throws: what kept it from the disk.
  func save() async throws {
    await takeTurn()
    defer { giveTurn() }
    // Whatever else has been changed meanwhile goes with it.
    try await identity.save(record.json)
  }

  private func takeTurn() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.isSaving { state.waiting.append(continuation) }
        defer { state.isSaving = true }
        return !state.isSaving
      }
      if isFree { continuation.resume() }
    }
  }

  private func giveTurn() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if state.waiting.isEmpty {
        state.isSaving = false
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
