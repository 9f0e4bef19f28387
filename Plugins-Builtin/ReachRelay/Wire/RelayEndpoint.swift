/// What is sent to a paired relay, each on a schedule of its own.
enum RelayEndpoint: String, Sendable, CaseIterable {
  case heartbeat, telemetry
  /// Waits for a command.
  case pull
  /// Tells a command's end.
  case push

  /// The path below the relay's origin.
  var path: String {
    switch self {
    case .heartbeat: "/api/reach-link/register"
    case .telemetry: "/api/reach-link/printer-data"
    case .pull: "/api/reach-link/commands/pull"
    case .push: "/api/reach-link/commands/push"
    }
  }

  /// So long its answer may take: a pull is held.
  var timeout: Duration { self == .pull ? .seconds(35) : .seconds(10) }

  /// The most bytes of its answer.
  var answerLimit: Int { self == .pull ? 1 << 20 : 1 << 16 }
}
