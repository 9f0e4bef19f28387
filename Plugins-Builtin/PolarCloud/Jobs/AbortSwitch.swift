internal import ConnectorKit
internal import Platform

/// Ends a piece of work from elsewhere, once. Safe from any thread.
final class AbortSwitch: Sendable {
  private let isPulled = Guarded(false)
  private let nudge = Nudge()
  private let time: any TimeSource

  init(time: any TimeSource) { self.time = time }

  /// Ends it.
  func pull() {
    isPulled.withLock { $0 = true }
    nudge.send()
  }

  /// Whether it is to end.
  var hasBeenPulled: Bool { isPulled.withLock { $0 } }

  /// Runs `body`; it is cancelled when the switch is pulled.
  func guarding<Result: Sendable>(
    _ body: @escaping @Sendable () async -> Result
  ) async -> Result? {
    let waiter = nudge.waiter(time)
    if hasBeenPulled { return nil }
    return await withTaskGroup(of: Result?.self) { group in
      group.addTask { await body() }
      group.addTask { [time] in
        // Longer than any work of a command may take.
        try? await waiter.wait(until: time.now.advanced(by: .seconds(7_200)))
        return nil
      }
      let first = await group.next()
      group.cancelAll()
      return first ?? nil
    }
  }
}
