internal import Networking

/// Where a relay is: an origin, nothing else.
struct RelayAddress: Hashable, Sendable {
  /// `https://host[:port]`, to which an endpoint's path is appended.
  let origin: String
  /// The host, for comparing and for messages.
  let host: String

  /// The origin of `url`, whatever path it has.
  ///
  /// - Returns: nil when it is no URL, or one that would send tokens in the clear: not https, and
  ///   not on this host.
  init?(origin url: String) {
    guard let parts = URLParts(url), !parts.hasCredentials,
      parts.scheme == "https" || (parts.scheme == "http" && parts.isLoopback)
    else { return nil }
    origin = parts.origin
    host = parts.host
  }

  /// What stands in `url` beside scheme, host and port, in the owner's words; nil when nothing does.
  ///
  /// Endpoints are absolute paths on the relay, so such a part would silently be dropped.
  static func excess(in url: String) -> String? {
    guard let parts = URLParts(url) else { return nil }
    if parts.hasCredentials { return "a user name or password" }
    if parts.query != nil { return "a query" }
    if parts.fragment != nil { return "a fragment" }
    return parts.path.isEmpty || parts.path == "/" ? nil : "the path \(parts.path)"
  }
}
