package import ConnectorKit
package import Platform

/// The one cache of the printer's status: the Moonraker link writes, every backend reads.
package final class StatusCache: StatusSource {
  /// An empty cache.
  package init(time: any TimeSource) {
    status = PrinterStatus(startedAt: time.now, wallTime: time.wallTime)
  }
  private let status: PrinterStatus
  private let snapshotLane = Broadcast<PrinterStatus>(.newest)
  private let eventLane = Broadcast<PrinterEvent>(.queue(256))

  package var current: PrinterStatus { status }
  package var lastHeard: MonotonicInstant? { nil }
  package func snapshots() -> Subscription<PrinterStatus> { snapshotLane.subscribe() }
  package func events() -> Subscription<PrinterEvent> { eventLane.subscribe() }
}
