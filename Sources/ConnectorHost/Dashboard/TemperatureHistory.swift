internal import ConnectorKit
internal import JSON
internal import Platform

/// Keeps the temperatures of the last half hour, taken from what the cache publishes anyway; nothing is woken for it.
/// Safe from any thread.
final class TemperatureHistory: Sendable {
  private let ring = Guarded(TemperatureRing())
  private let startedAt: MonotonicInstant
  private let watch = Guarded<Subscription<PrinterStatus>?>(nil)

  /// A history of what `status` publishes from now on.
  init(of status: any StatusSource, startedAt: MonotonicInstant) {
    self.startedAt = startedAt
    // The filter sees every snapshot where it is published; none is ever put into the mailbox.
    let subscription = status.snapshots(where: { [weak self] in
      self?.note($0)
      return false
    })
    watch.withLock { $0 = subscription }
  }

  /// As `/api/temperatures` says it.
  var document: JSONValue { ring.withLock { $0.document } }

  private func note(_ status: PrinterStatus) {
    let uptime = startedAt.duration(to: status.updatedAt)
    ring.withLock { ring in
      if !status.isCurrent {
        ring.interrupt(at: uptime)
      } else if ring.isDue(at: uptime) {
        ring.add(HeaterReading.all(in: status), at: uptime)
      }
    }
  }
}
