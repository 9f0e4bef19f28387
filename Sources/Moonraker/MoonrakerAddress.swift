internal import Networking

/// Where Moonraker is.
package enum MoonrakerAddress: Sendable, Hashable {
  /// `http://host:7125` or `https://…`, perhaps with a route prefix as path; no trailing slash.
  case http(String)
  /// The path of Moonraker's Unix socket.
  case unixSocket(String)

  /// Reads `http(s)://host[:port][/prefix]` or `unix:/path`; nil for anything else.
  ///
  /// A query, a fragment, a user or a password is refused. Without a port it is the scheme's.
  package init?(_ text: String) {
    if text.hasPrefix("unix:") {
      // `unix:///run/x` is how others write the same.
      let path = text.hasPrefix("unix:///") ? text.dropFirst(7) : text.dropFirst(5)
      guard path.hasPrefix("/"), !path.hasPrefix("//"), path.utf8.count > 1, path.utf8.count < 108
      else { return nil }
      self = .unixSocket(String(path))
      return
    }
    guard let parts = URLParts(text), parts.scheme == "http" || parts.scheme == "https",
      parts.query == nil, parts.fragment == nil, !parts.hasCredentials
    else { return nil }
    var prefix = parts.path[...]
    while prefix.hasSuffix("/") { prefix.removeLast() }
    self = .http(parts.origin + prefix)
  }
}
