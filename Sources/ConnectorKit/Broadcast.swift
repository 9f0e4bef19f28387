/// One writer's elements to any number of readers, each with a mailbox of its own.
///
/// `AsyncStream` cannot fan out: two readers would share out the elements. Here every reader sees
/// every element, or, in the newest-only lane, the newest; a slow one never delays the writer or its neighbours.
package final class Broadcast<Element: Sendable>: Sendable {
  /// What a full mailbox does.
  package enum Policy: Sendable {
    /// A slot of depth one: a newer element takes the older one's place.
    case newest
    /// A queue of this many: further ones are dropped and counted.
    case queue(Int)
  }
  private let policy: Policy

  /// A broadcast whose readers' mailboxes follow `policy`.
  package init(_ policy: Policy) { self.policy = policy }

  /// Gives `element` to every reader. Never blocks, safe from any thread.
  package func send(_ element: Element) {}

  /// A new reader, which sees `first` (if given) and all that is sent from now on.
  package func subscribe(startingWith first: Element? = nil) -> Subscription<Element> {
    Subscription()
  }
}

/// One reader's mailbox: iterate it from one task. It ends when its task is cancelled; dropping it unsubscribes.
package final class Subscription<Element: Sendable>: AsyncSequence, Sendable {
  init() {}

  /// How many elements this reader missed so far.
  package var skipped: UInt64 { 0 }

  /// The next element; nil when the waiting task is cancelled.
  package func next() async -> Element? { nil }

  /// Iterates the mailbox.
  package struct Iterator: AsyncIteratorProtocol {
    let subscription: Subscription
    /// The next element; nil when the task is cancelled.
    package mutating func next() async -> Element? { await subscription.next() }
    /// The next element; nil when the task is cancelled.
    package mutating func next(isolation: isolated (any Actor)?) async -> Element? {
      await subscription.next()
    }
  }
  /// An iterator over the mailbox.
  package func makeAsyncIterator() -> Iterator { Iterator(subscription: self) }
}
