internal import Platform

/// The commands of this run that have succeeded and whose snapshot has not gone yet: one for each id, however often it
/// comes.
final class DueSnapshots: Sendable {
  /// So many ids are remembered.
  private static let memory = 1_000
  private struct State {
    var due: Set<String> = []
    var seen: Set<String> = []
    var order: [String] = []
  }
  private let state = Guarded(State())

  /// A command has succeeded.
  func add(_ id: String) {
    state.withLock { state in
      guard state.seen.insert(id).inserted else { return }
      state.due.insert(id)
      state.order.append(id)
      guard state.order.count > Self.memory else { return }
      let oldest = state.order.removeFirst()
      state.seen.remove(oldest)
      state.due.remove(oldest)
    }
  }

  /// Whether a snapshot is to go before the result of `id`; true once.
  func take(_ id: String) -> Bool { state.withLock { $0.due.remove(id) != nil } }
}
