/// What is sent to a paired relay, each on a schedule of its own.
enum RelayEndpoint: String, Sendable, CaseIterable {
  case heartbeat, telemetry

  /// The path below the relay's origin.
  var path: String {
    switch self {
    case .heartbeat: "/api/reach-link/register"
    case .telemetry: "/api/reach-link/printer-data"
    }
  }
}
