internal import ConnectorKit
internal import Platform

/// Wakes a loop before its time.
struct Nudge: Sendable {
  private let broadcast = Broadcast<Bool>(.newest)

  /// Wakes whoever waits, or spares the next wait.
  func send() { broadcast.send(true) }

  /// A waiter of one's own; it remembers a nudge that came before the wait.
  func waiter(_ time: any TimeSource) -> Waiter {
    Waiter(mailbox: broadcast.subscribe(), time: time)
  }

  /// One loop's end of it.
  struct Waiter: Sendable {
    fileprivate let mailbox: Subscription<Bool>
    fileprivate let time: any TimeSource

    /// Waits for a nudge, at most until `deadline`.
    ///
    /// - Throws: `CancellationError`.
    func wait(until deadline: MonotonicInstant) async throws {
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
