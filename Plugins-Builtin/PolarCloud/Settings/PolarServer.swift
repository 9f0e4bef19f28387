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
}
