internal import Platform

/// The answer of `/health`: well, or one line for each backend that is not.
struct HealthReport: Sendable, Hashable {
  /// `<backend>: <reason>` for each that fails; `commands` where none can be journalled.
  var failures: [String]

  /// How long a backend may take to reach its cloud before that counts as failing.
  static let startGrace = Duration.seconds(60)

  /// The report for `view`. Disabled and stopped backends are not counted.
  init(_ view: DaemonView) {
    let journal = view.commands?.journalProblem.map { "commands: \($0)".onOneLine }
    failures =
      (journal.map { [$0] } ?? [])
      + view.backends.compactMap { backend in
        Self.reason(backend, now: view.now).map { "\(backend.name): \($0)".onOneLine }
      }
  }

  /// 200 or 503.
  var status: Int { failures.isEmpty ? 200 : 503 }

  /// `OK`, or the failures, one to a line.
  var text: String { failures.isEmpty ? "OK" : failures.joined(separator: "\n") }

  /// Why `backend` counts as failing; nil: it does not. Where its far side confirms it, the newest confirmation decides as
  /// long as it runs: a report that fails beside heartbeats that are taken is no failure.
  static func reason(_ backend: DaemonView.Backend, now: MonotonicInstant) -> String? {
    if let confirmation = backend.confirmation {
      switch backend.state {
      case .starting, .online, .degraded:
        if now < confirmation.until { return nil }
        if case .degraded(let problem, _) = backend.state { return "degraded: \(problem)" }
        return
          "not confirmed by its cloud for \(confirmation.at.duration(to: now).components.seconds) s"
      case .disabled, .backingOff, .parked, .stopped: break
      }
    }
    switch backend.state {
    case .disabled, .online, .stopped: return nil
    case .starting:
      let duration = backend.since.duration(to: now)
      guard duration > startGrace else { return nil }
      return "has not reached its cloud for \(duration.components.seconds) s"
    case .degraded(let problem, _), .parked(let problem, _), .backingOff(let problem, _):
      return "\(backend.state.name): \(problem)"
    }
  }
}
