/// `job.state` on the wire.
enum JobState: String, Sendable {
  case idle, printing, paused, error, unknown

  /// The word for Klipper's `print_stats.state`.
  init(printState: String?) {
    switch printState {
    case "standby", "complete", "cancelled": self = .idle
    case "printing": self = .printing
    case "paused": self = .paused
    case "error": self = .error
    default: self = .unknown
    }
  }
}
