/// Where Moonraker is.
package enum MoonrakerAddress: Sendable, Hashable {
  /// `http://host:7125` or `https://…`, perhaps with a route prefix as path; no trailing slash.
  case http(String)
  /// The path of Moonraker's Unix socket.
  case unixSocket(String)

  /// Reads `http://…`, `https://…` or `unix:/path`; nil for anything else.
  package init?(_ text: String) { self = .http(text) }
}
