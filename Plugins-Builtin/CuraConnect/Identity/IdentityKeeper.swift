internal import ConnectorKit
internal import JSON
internal import Platform

/// Keeps on the disk what must outlive us: the identity, what waits in the queue, the materials, who was approved.
///
/// Whoever changes something says so; one loop writes, and writes the newest.
final class IdentityKeeper: Sendable {
  /// So long until a write that failed is tried again.
  private static let pause = Duration.seconds(30)
  private let store: any IdentityStore
  private let time: any TimeSource
  private let log: Log
  private let nudge = Nudge()
  /// So long what is not urgent is gathered.
  private static let gathering = Duration.seconds(10)
  private struct State: Sendable {
    var content: JSONObject
    /// When the newest is to be on the disk; nil: it is.
    var due: MonotonicInstant?
    /// Counts what was kept, up to where it is on the disk, and the writes that failed.
    var kept: UInt64 = 0
    var saved: UInt64 = 0
    var failures: UInt64 = 0
  }
  /// The longest that anybody waits for the disk.
  private static let patience = Duration.seconds(2)
  private let written = Nudge()
  private let state: Guarded<State>

  /// A keeper of what is on the disk now.
  init(_ stored: JSONObject, context: BackendContext) {
    store = context.identity
    time = context.time
    log = context.log
    state = Guarded(State(content: stored))
  }

  /// What is kept under `key`.
  subscript(key: String) -> JSONValue? { state.withLock { $0.content[key] } }

  /// Keeps `value` under `key`: soon, or with others some seconds later. Never blocks.
  func keep(_ value: JSONValue, as key: String, isUrgent: Bool = true) {
    let now = time.now
    let isNew = state.withLock { state in
      guard state.content[key] != value else { return false }
      state.content[key] = value
      state.kept &+= 1
      let due = isUrgent ? now : now.advanced(by: Self.gathering)
      state.due = min(state.due ?? due, due)
      return true
    }
    if isNew { nudge.send() }
  }

  /// Waits until all that was kept so far is on the disk, for 2 s at the longest.
  ///
  /// - Returns: whether it is.
  func flush() async -> Bool {
    let deadline = time.now.advanced(by: Self.patience)
    let waiter = written.waiter(time)
    let (goal, failures) = state.withLock { state in
      if state.due != nil { state.due = time.now }
      return (state.kept, state.failures)
    }
    nudge.send()
    while state.withLock({ $0.saved < goal && $0.failures == failures }), time.now < deadline {
      guard (try? await waiter.wait(until: deadline)) != nil else { break }
    }
    return state.withLock { $0.saved >= goal }
  }

  /// Writes what is not on the disk yet: at the end, when nothing changes any more.
  func finish() async {
    let rest = state.withLock { $0.saved == $0.kept ? nil : $0.content }
    if let rest { try? await store.save(rest) }
  }

  /// Writes what is new, until cancelled.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    let waiter = nudge.waiter(time)
    while true {
      let now = time.now
      let newest = state.withLock { state -> (content: JSONObject, number: UInt64)? in
        guard let due = state.due, due <= now else { return nil }
        state.due = nil
        return (state.content, state.kept)
      }
      if let (content, number) = newest {
        defer { written.send() }
        do {
          try await store.save(content)
          state.withLock { $0.saved = number }
        } catch {
          try Task.checkCancellation()
          log(.warning, "what Cura is to find again could not be stored: \(error)")
          state.withLock { state in
            state.failures &+= 1
            state.due = time.now.advanced(by: Self.pause)
          }
        }
      }
      let next = state.withLock { $0.due } ?? time.now.advanced(by: .seconds(86_400))
      try await waiter.wait(until: next)
    }
  }
}
