/// The parts of an absolute URL, as libcurl's parser reads them.
package struct URLParts: Sendable, Hashable {
  /// Lower-case scheme: `http`, `https`, `ws`, `wss`.
  package var scheme: String
  /// Lower-case host, IPv6 without brackets.
  package var host: String
  /// The port, or the scheme's default.
  package var port: Int
  /// The path with its leading slash, still escaped.
  package var path: String
  /// The query without its question mark, still escaped; nil when absent.
  package var query: String?
  /// The fragment; nil when absent.
  package var fragment: String?
  /// Whether the URL carries a user or a password.
  package var hasCredentials: Bool

  /// Parses `text`; nil when it is no absolute URL with a host.
  package init?(_ text: String) { return nil }

  /// Whether the host is `localhost`, in 127.0.0.0/8 or `::1`.
  package var isLoopback: Bool { false }

  /// `scheme://host[:port]`, the port left out where it is the default, IPv6 in brackets.
  package var origin: String { "" }

  /// `text` percent-encoded as one path segment or query value: all but unreserved characters (RFC 3986).
  package static func escape(_ text: String) -> String { text }
}
