internal import ConnectorKit

/// How the printer stands, in one word: what link, Klippy and job amount to together.
enum PrinterCondition: String, Sendable, CaseIterable {
  /// Moonraker is not reached, so nothing is known.
  case away
  /// Moonraker is there, Klippy is not.
  case disconnected
  /// Klippy starts.
  case startup
  /// Klippy did not start: its message says why.
  case error
  /// Klippy shut the printer down: its message says why.
  case shutdown
  case idle, printing, paused, finished, cancelled, failed
  /// Ready, and the job's state is one that we do not know.
  case unknown

  /// What `status` amounts to.
  init(_ status: PrinterStatus) {
    guard status.link == .connected else {
      self = .away
      return
    }
    switch status.klippy {
    case .disconnected: self = .disconnected
    case .startup: self = .startup
    case .error: self = .error
    case .shutdown: self = .shutdown
    case .ready:
      switch status.printState {
      case "standby": self = .idle
      case "printing": self = .printing
      case "paused": self = .paused
      case "complete": self = .finished
      case "cancelled": self = .cancelled
      case "error": self = .failed
      default: self = .unknown
      }
    }
  }
}
