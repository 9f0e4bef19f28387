internal import Networking

/// Where the Polar Cloud's printer server is.
struct PolarServer: Sendable, Hashable {
  /// `https://host[:port]`.
  let origin: String
  /// The host, for messages and as the one exception of what addresses may be reached.
  let host: String
  /// The query of the configured address, still escaped; nil where there is none.
  let query: String?

  /// Reads an address.
  ///
  /// - Returns: nil where it is none, or carries a user or a password.
  init?(_ url: String) {
    guard let parts = URLParts(url), !parts.hasCredentials,
      parts.scheme == "https" || parts.scheme == "http"
    else { return nil }
    origin = parts.origin
    host = parts.host
    query = parts.query
  }

  /// Whether an address that the cloud names is this very server as the owner has configured it: scheme, host and port. Then
  /// it may lie in the house; whoever answers for the cloud's name could else lead us to any port of this host.
  ///
  /// - Parameter moonraker: Moonraker's address, to whose port nothing of the cloud's ever leads.
  func isItself(_ url: String, moonraker: String) -> Bool {
    guard let parts = URLParts(url), parts.origin == origin else { return false }
    return URLParts(moonraker)?.port != parts.port
  }
}
