internal import Platform

/// One reader's mailbox: iterate it from one task. It ends when its task is cancelled; dropping it unsubscribes.
package final class Subscription<Element: Sendable>: AsyncSequence, Sendable {
  private struct Waiter {
    var id: UInt64
    var continuation: CheckedContinuation<Element?, Never>
  }
  private struct Mailbox {
    var elements: [Element] = []
    var skipped: UInt64 = 0
    var nextID: UInt64 = 0
    /// Waits only while `elements` is empty. One by contract; a second one is served in turn rather than trapped.
    var waiters: [Waiter] = []

    mutating func takeFirst() -> Element? { elements.isEmpty ? nil : elements.removeFirst() }
  }
  private enum Outcome { case wait, resume(Element?) }
  private let policy: Broadcast<Element>.Policy
  private let isNews: (@Sendable (Element) -> Bool)?
  private let mailbox: Guarded<Mailbox>

  init(
    policy: Broadcast<Element>.Policy, first: Element?, isNews: (@Sendable (Element) -> Bool)?
  ) {
    self.policy = policy
    self.isNews = isNews
    var mailbox = Mailbox()
    if let first { mailbox.elements = [first] }
    self.mailbox = Guarded(mailbox)
  }

  /// How many elements this reader missed so far.
  package var skipped: UInt64 { mailbox.withLock { $0.skipped } }

  /// How many tasks wait for an element now.
  var waiterCount: Int { mailbox.withLock { $0.waiters.count } }

  /// Whether a task waits for an element now.
  var isAwaited: Bool { waiterCount > 0 }

  /// The next element; nil when the task is cancelled, before or while it waits.
  package func next() async -> Element? {
    if Task.isCancelled { return nil }
    if let element = mailbox.withLock({ $0.takeFirst() }) { return element }
    let id = mailbox.withLock { mailbox in
      mailbox.nextID += 1
      return mailbox.nextID
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let outcome = mailbox.withLock { mailbox -> Outcome in
          // The handler below may have run already: then the flag is set, and is seen here.
          if Task.isCancelled { return .resume(nil) }
          if let element = mailbox.takeFirst() { return .resume(element) }
          mailbox.waiters.append(Waiter(id: id, continuation: continuation))
          return .wait
        }
        if case .resume(let element) = outcome { continuation.resume(returning: element) }
      }
    } onCancel: {
      let waiter = mailbox.withLock { mailbox in
        mailbox.waiters.firstIndex { $0.id == id }.map { mailbox.waiters.remove(at: $0) }
      }
      waiter?.continuation.resume(returning: nil)
    }
  }

  /// Puts `element` into the mailbox, or returns who waits for it; the caller hands it over outside of its locks.
  func deliver(_ element: Element) -> CheckedContinuation<Element?, Never>? {
    if let isNews, !isNews(element) { return nil }
    return mailbox.withLock { mailbox in
      if !mailbox.waiters.isEmpty { return mailbox.waiters.removeFirst().continuation }
      switch policy {
      case .newest:
        mailbox.skipped += UInt64(mailbox.elements.count)
        mailbox.elements = [element]
      case .queue(let depth):
        if mailbox.elements.count < depth {
          mailbox.elements.append(element)
        } else {
          mailbox.skipped += 1
        }
      }
      return nil
    }
  }

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
