package import Platform

/// Where backends read the printer: one cache for all, no request to Moonraker.
package protocol StatusSource: Sendable {
  /// The newest snapshot. Never blocks, safe from any thread.
  var current: PrinterStatus { get }

  /// When the newest frame of any kind came from Moonraker; nil before the first.
  var lastHeard: MonotonicInstant? { get }

  /// The state lane: the newest snapshot first, then each newer one; a slow reader skips, and what it skipped is counted.
  ///
  /// - Parameter isNews: asked about each snapshot but the first, in order and where it is published, so it must be
  ///   quick and must not read this source; one that it denies wakes nobody. Nil: every snapshot is news.
  func snapshots(
    where isNews: (@Sendable (PrinterStatus) -> Bool)?
  ) -> Subscription<PrinterStatus>

  /// The event lane: what happens from now on, in order; bounded, and an overflow is visible on the subscription.
  func events() -> Subscription<PrinterEvent>
}

extension StatusSource {
  /// The state lane, every snapshot of it.
  package func snapshots() -> Subscription<PrinterStatus> { snapshots(where: nil) }

  /// The snapshots that read otherwise than the one before, for a backend that looks at a few values only: an update
  /// of others, of which a printing Klipper sends four a second, then wakes no task.
  package func snapshots<Reading: Equatable & Sendable>(
    changing reading: @escaping @Sendable (PrinterStatus) -> Reading
  ) -> Subscription<PrinterStatus> {
    let last = Guarded<Reading?>(nil)
    return snapshots(where: { status in
      let new = reading(status)
      return last.withLock { last in
        defer { last = new }
        return new != last
      }
    })
  }
}
