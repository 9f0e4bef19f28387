internal import Platform

/// One writer's elements to any number of readers, each with a mailbox of its own.
///
/// `AsyncStream` cannot fan out: two readers would share out the elements. Here every reader sees
/// every element, or, in the newest-only lane, the newest; a slow one never delays the writer or its neighbours.
/// Several writers may send at once: all readers then see one order.
package final class Broadcast<Element: Sendable>: Sendable {
  /// What a full mailbox does.
  package enum Policy: Sendable {
    /// A slot of depth one: a newer element takes the older one's place.
    case newest
    /// A queue of this many: further ones are dropped and counted.
    case queue(Int)
  }
  private struct Reader {
    // Weak, so that dropping a subscription is all it takes to leave.
    weak let subscription: Subscription<Element>?
  }
  private let policy: Policy
  private let readers = Guarded<[Reader]>([])

  /// A broadcast whose readers' mailboxes follow `policy`.
  package init(_ policy: Policy) { self.policy = policy }

  /// Gives `element` to every reader. Never blocks, safe from any thread.
  package func send(_ element: Element) {
    let waiting = readers.withLock { readers in
      var waiting: [CheckedContinuation<Element?, Never>] = []
      var someLeft = false
      for reader in readers {
        guard let subscription = reader.subscription else {
          someLeft = true
          continue
        }
        if let waiter = subscription.deliver(element) { waiting.append(waiter) }
      }
      if someLeft { readers.removeAll { $0.subscription == nil } }
      return waiting
    }
    for waiter in waiting { waiter.resume(returning: element) }
  }

  /// A new reader, which sees `first` (if given) and all that is sent from now on and `isNews`.
  package func subscribe(
    startingWith first: Element? = nil, where isNews: (@Sendable (Element) -> Bool)? = nil
  ) -> Subscription<Element> {
    let subscription = Subscription(policy: policy, first: first, isNews: isNews)
    readers.withLock { readers in
      readers.removeAll { $0.subscription == nil }
      readers.append(Reader(subscription: subscription))
    }
    return subscription
  }

  /// How many readers there are.
  package var readerCount: Int {
    readers.withLock { readers in readers.count { $0.subscription != nil } }
  }
}
