package import Networking

/// A cloud's server as the owner has configured it, which may lie in the house as nothing else may that the cloud names.
package struct CloudServer: Sendable, Hashable {
  /// `https://host[:port]`.
  package let origin: String
  /// The host, for messages and as the one exception of what addresses may be reached.
  package let host: String

  /// The server of an address.
  ///
  /// - Returns: nil where that is no address of HTTP, or carries a user or a password.
  package init?(_ url: String) {
    guard let parts = URLParts(url), !parts.hasCredentials,
      parts.scheme == "https" || parts.scheme == "http"
    else { return nil }
    origin = parts.origin
    host = parts.host
  }

  /// Whether an address that the cloud names is this very server: scheme, host and port. Then it may lie in the house;
  /// whoever answers for the cloud's name could else lead us to any port of this host.
  ///
  /// - Parameter moonraker: Moonraker's address, to whose port nothing of a cloud's ever leads.
  package func isItself(_ url: String, moonraker: String) -> Bool {
    guard let parts = URLParts(url), parts.origin == origin else { return false }
    return URLParts(moonraker)?.port != parts.port
  }

  /// What a connection to an address that the cloud names may lead to: a public place, or this server itself.
  package func addresses(for url: String, moonraker: String) -> AddressPolicy {
    .publicOnly(except: isItself(url, moonraker: moonraker) ? [host] : [])
  }
}
