internal import ConnectorKit
internal import Platform

/// Refusals that wait for being written down, for one reader; of each id one.
///
/// Until the gate has written it down, only this line knows of a refusal: what comes again meanwhile must not be executed,
/// and is found here.
final class RefusalLine: Sendable {
  /// So many may wait; more are dropped.
  static let most = 10_000

  /// First in, first out.
  private struct Queue {
    private var items: [Int: Refusal] = [:]
    private var first = 0
    private var end = 0

    var count: Int { items.count }

    mutating func append(_ item: Refusal) {
      items[end] = item
      end += 1
    }
    mutating func removeFirst() -> Refusal? {
      guard let item = items.removeValue(forKey: first) else { return nil }
      first += 1
      if items.isEmpty { self = Queue() }
      return item
    }
    mutating func removeLast() -> Refusal? {
      guard let item = items.removeValue(forKey: end - 1) else { return nil }
      end -= 1
      return item
    }
  }
  private struct State {
    /// What a cancel has taken out.
    var cancelled = Queue()
    var others = Queue()
    var inHand: Refusal?
    var ids: Set<String> = []
    var dropped = 0

    mutating func takeFirst() -> Refusal? { cancelled.removeFirst() ?? others.removeFirst() }
  }
  private let state = Guarded(State())
  private let bell = Broadcast<Bool>(.newest)
  private let mailbox: Subscription<Bool>

  init() { mailbox = bell.subscribe() }

  /// Whether nothing waits.
  var isEmpty: Bool { state.withLock { $0.cancelled.count + $0.others.count == 0 } }

  /// Whether a refusal of this id waits or is being written down.
  func contains(_ id: String) -> Bool { state.withLock { $0.ids.contains(id) } }

  /// Puts a refusal in, unless one of its id is there.
  func append(_ refusal: Refusal) { put(refusal, isCancelled: false) }

  /// Puts the refusal of what a cancel has taken out before the others; where all places are taken, one of them goes for
  /// it.
  func appendCancelled(_ refusal: Refusal) { put(refusal, isCancelled: true) }

  private func put(_ refusal: Refusal, isCancelled: Bool) {
    state.withLock { state in
      guard state.ids.insert(refusal.id).inserted else { return }
      if state.cancelled.count + state.others.count >= Self.most {
        state.dropped += 1
        guard isCancelled, let last = state.others.removeLast() else {
          state.ids.remove(refusal.id)
          return
        }
        state.ids.remove(last.id)
      }
      if isCancelled { state.cancelled.append(refusal) } else { state.others.append(refusal) }
    }
    bell.send(true)
  }

  /// How many have been dropped since this was asked before.
  func takeDropped() -> Int {
    state.withLock { state in
      defer { state.dropped = 0 }
      return state.dropped
    }
  }

  /// The next, which is in hand until ``ended()``; waits for one. Nil when the task is cancelled.
  func next() async -> Refusal? {
    while !Task.isCancelled {
      let next = state.withLock { state in
        state.inHand = state.takeFirst()
        return state.inHand
      }
      if let next { return next }
      guard await mailbox.next() != nil else { return nil }
    }
    return nil
  }

  /// The one in hand has been written down.
  func ended() {
    state.withLock { state in
      guard let id = state.inHand?.id else { return }
      state.ids.remove(id)
      state.inHand = nil
    }
  }

  /// Takes out all that has not been written down: what was in hand and what a cancel has taken out, and the others.
  func remaining() -> (first: [Refusal], others: [Refusal]) {
    state.withLock { state in
      var first = state.inHand.map { [$0] } ?? []
      while let next = state.cancelled.removeFirst() { first.append(next) }
      var others: [Refusal] = []
      while let next = state.others.removeFirst() { others.append(next) }
      state = State()
      return (first, others)
    }
  }
}
