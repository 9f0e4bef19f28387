package import Platform

/// Where a backend stands in its life: `disabled → starting → online ⇄ degraded → backing off | parked | stopped`.
package enum BackendState: Sendable, Hashable {
  /// Switched off in the file.
  case disabled
  /// Running, but the far side has not answered yet.
  case starting
  /// The far side answers and knows us.
  case online
  /// Running with something wrong.
  case degraded(problem: String, remedy: String)
  /// It failed and is started again at this moment.
  case backingOff(problem: String, until: MonotonicInstant)
  /// It waits until a person acts.
  case parked(problem: String, remedy: String)
  /// Ended because the daemon ends, or because its entry left the file.
  case stopped

  /// When it is tried again; nil where it is not backing off.
  package var nextTry: MonotonicInstant? {
    if case .backingOff(_, let until) = self { until } else { nil }
  }

  /// The state's name, for people and metrics: `backing off`.
  package var name: String {
    switch self {
    case .disabled: "disabled"
    case .starting: "starting"
    case .online: "online"
    case .degraded: "degraded"
    case .backingOff: "backing off"
    case .parked: "parked"
    case .stopped: "stopped"
    }
  }
}
