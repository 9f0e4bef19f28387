package import Platform

extension PrinterStatus {
  /// Moonraker sends something each second: after this long without a sign of life it has frozen, and what
  /// we know of the printer may be long past.
  package static let longestSilence = Duration.seconds(15)
}

extension StatusSource {
  /// Whether Moonraker has given a sign of life lately; see ``PrinterStatus/longestSilence``.
  package func isAlive(at now: MonotonicInstant) -> Bool {
    lastHeard.map { $0.duration(to: now) < PrinterStatus.longestSilence } ?? false
  }

  /// The newest snapshot as it may be reported at `now`: not current when Moonraker has fallen silent.
  package func trusted(at now: MonotonicInstant) -> PrinterStatus {
    var status = current
    if !isAlive(at: now) { status.isCurrent = false }
    return status
  }
}
