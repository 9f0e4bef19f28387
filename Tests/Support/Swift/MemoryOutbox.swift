package import ConnectorKit
package import Platform

/// An outbox in memory.
package final class MemoryOutbox: Outbox {
  private struct State {
    var entries: [OutboxEntry] = []
    var next: Int64 = 1
    var isStored = true
    var verdicts: [(key: String, verdict: OutboxVerdict)] = []
  }
  private let time: any TimeSource
  private let state = Guarded(State())
  private let nudge = Nudge()

  /// An empty outbox.
  package init(time: any TimeSource) { self.time = time }

  /// What lies in it, in order.
  package var entries: [OutboxEntry] { state.withLock { $0.entries } }
  /// What was said of the attempts, in order.
  package var verdicts: [(key: String, verdict: OutboxVerdict)] { state.withLock { $0.verdicts } }

  /// As the host's, which holds 500.
  package var isHalfFull: Bool { get async { entries.count >= 250 } }

  /// Whether what is put in counts as stored from now on.
  package func store(_ isStored: Bool) { state.withLock { $0.isStored = isStored } }

  @discardableResult
  package func put(_ item: OwedItem) async -> Bool {
    await put(item, isFresh: true)
    return state.withLock { $0.isStored }
  }

  /// Puts an item in; with `isFresh` false as if it had been found in the store at the start.
  package func put(_ item: OwedItem, isFresh: Bool) async {
    let now = time.wallTime
    state.withLock { state in
      if let place = state.entries.firstIndex(where: { $0.item.key == item.key }) {
        state.entries[place].item = item
        return
      }
      state.entries.append(
        OutboxEntry(number: state.next, item: item, since: now, attempts: 0, isFresh: isFresh))
      state.next += 1
    }
    nudge.send()
  }

  package func oldest() async throws -> OutboxEntry {
    let waiter = nudge.waiter(time)
    while true {
      if let first = entries.first { return first }
      try await waiter.wait(until: time.now.advanced(by: .seconds(86_400)))
    }
  }

  package func peek() async -> OutboxEntry? { entries.first }

  package func settle(_ entry: OutboxEntry, _ verdict: OutboxVerdict) async {
    state.withLock { state in
      state.verdicts.append((entry.item.key, verdict))
      guard let place = state.entries.firstIndex(where: { $0.number == entry.number }) else {
        return
      }
      if verdict == .keep {
        state.entries[place].attempts += 1
      } else {
        state.entries.remove(at: place)
      }
    }
  }
}
