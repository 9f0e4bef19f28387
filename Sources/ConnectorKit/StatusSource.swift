package import Platform

/// Where backends read the printer: one cache for all, no request to Moonraker.
package protocol StatusSource: Sendable {
  /// The newest snapshot. Never blocks, safe from any thread.
  var current: PrinterStatus { get }

  /// When the newest frame of any kind came from Moonraker; nil before the first.
  var lastHeard: MonotonicInstant? { get }

  /// The state lane: the newest snapshot first, then each newer one; a slow reader skips, and what it skipped is counted.
  func snapshots() -> Subscription<PrinterStatus>

  /// The event lane: what happens from now on, in order; bounded, and an overflow is visible on the subscription.
  func events() -> Subscription<PrinterEvent>
}
