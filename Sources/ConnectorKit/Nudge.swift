package import Platform

/// Wakes a loop before its time.
///
/// For a schedule that an event may bring forward: the loop waits on a ``Waiter`` until its next deadline, and whoever
/// sees the event calls ``send()``.
package struct Nudge: Sendable {
  private let broadcast = Broadcast<Bool>(.newest)

  /// A nudge that nobody waits for yet.
  package init() {}

  /// Wakes whoever waits, or spares the next wait. Never blocks, safe from any thread.
  package func send() { broadcast.send(true) }

  /// A waiter of one's own; it remembers a nudge that came before the wait.
  package func waiter(_ time: any TimeSource) -> Waiter {
    Waiter(mailbox: broadcast.subscribe(), time: time)
  }

  /// One loop's end of it.
  package struct Waiter: Sendable {
    fileprivate let mailbox: Subscription<Bool>
    fileprivate let time: any TimeSource

    /// Waits for a nudge, at most until `deadline`.
    ///
    /// - Throws: `CancellationError`.
    package func wait(until deadline: MonotonicInstant) async throws {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { try? await time.sleep(until: deadline) }
        group.addTask { _ = await mailbox.next() }
        await group.next()
        group.cancelAll()
      }
      try Task.checkCancellation()
    }
  }
}
