internal import ConnectorKit
internal import Platform

/// The outboxes of all backends. Safe from any task.
final class Deliveries: Sendable {
  private let store: any OutboxStore
  private let time: any TimeSource
  private let sink: any LogSink
  private let outboxes = Guarded<[String: BackendOutbox]>([:])

  /// No outboxes yet; they lie in `store`.
  init(store: any OutboxStore, time: any TimeSource, sink: any LogSink) {
    self.store = store
    self.time = time
    self.sink = sink
  }

  /// The outbox of the backend `name`: the same one each time.
  func outbox(of name: String) -> BackendOutbox {
    outboxes.withLock { outboxes in
      if let outbox = outboxes[name] { return outbox }
      let outbox = BackendOutbox(
        name: name, store: store, time: time, log: Log(label: name, sink: sink))
      outboxes[name] = outbox
      return outbox
    }
  }

  /// Says that something was put in for a backend with the end of a command: wakes whoever waits for it.
  func noteNew(backend name: String) {
    outboxes.withLock { $0[name] }?.noteNew()
  }

  /// What each backend's far side is owed, for the dashboard; backends of earlier configurations are named too, as long
  /// as something waits for them.
  func states() async -> [String: OutboxState] {
    let counts = try? await store.counts()
    var states: [String: OutboxState] = [:]
    for (name, outbox) in outboxes.withLock({ $0 }) {
      states[name] = await outbox.state(stored: counts.map { $0[name] ?? 0 })
    }
    for (name, count) in counts ?? [:] where states[name] == nil {
      states[name] = OutboxState(owed: count, inMemory: 0, dropped: 0)
    }
    return states
  }
}
