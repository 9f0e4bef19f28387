internal import ConnectorKit
internal import Networking

/// Where a Firebase Realtime Database is.
struct FirebaseAddress: Sendable, Hashable {
  /// The host, for messages.
  let host: String
  /// Scheme, host, port and path, without a slash at the end.
  private let base: String

  /// Reads the configured address; nil when it is none, or would send the token in the clear: not https, and not on this
  /// host.
  init?(_ url: String) {
    guard let parts = URLParts(url), Self.excess(in: url) == nil,
      parts.scheme == "https" || (parts.scheme == "http" && parts.isLoopback)
    else { return nil }
    host = parts.host
    var path = parts.path
    while path.hasSuffix("/") { path.removeLast() }
    base = parts.origin + path
  }

  /// What stands in `url` beside scheme, host, port and path, in the owner's words; nil when nothing does.
  static func excess(in url: String) -> String? {
    guard let parts = URLParts(url) else { return nil }
    if parts.hasCredentials { return "a user name or password" }
    if parts.query != nil { return "a query" }
    return parts.fragment == nil ? nil : "a fragment"
  }

  /// The URL of a node below the printer's own. It holds the token: it is for the request and nothing else.
  func url(_ node: String, of printerID: String, auth token: Secret) -> String {
    "\(base)/printers/\(URLParts.escape(printerID))/\(node).json?auth=\(URLParts.escape(token.revealed))"
  }
}
