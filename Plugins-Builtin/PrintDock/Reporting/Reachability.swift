internal import ConnectorKit
internal import Platform

/// Whether the printer answers, and whether what we know of it may be sent. Pure.
enum Reachability {
  /// Whether Moonraker is connected and alive, and Klippy is connected to it.
  static func isReachable(
    _ status: PrinterStatus, lastHeard: MonotonicInstant?, at now: MonotonicInstant
  ) -> Bool {
    guard status.link == .connected, status.klippy != .disconnected, let lastHeard else {
      return false
    }
    return lastHeard.duration(to: now) < PrinterStatus.longestSilence
  }

  /// Whether a snapshot of this status would show the printer as it is now.
  static func isReportable(
    _ status: PrinterStatus, lastHeard: MonotonicInstant?, at now: MonotonicInstant
  ) -> Bool {
    status.isCurrent && status.eventtime != nil && status.covers(SnapshotEncoder.interest)
      && isReachable(status, lastHeard: lastHeard, at: now)
  }
}
