/// Which addresses a connection may go to: judged by the resolved address of each connection, not by the name.
package enum AddressPolicy: Sendable, Hashable {
  /// Any.
  case any
  /// No loopback, link-local, private, multicast or otherwise special address, unless the URL's host is one of these,
  /// lower case, without the port.
  ///
  /// Through a proxy, the proxy looks the name up: addresses in the URL itself are judged in every spelling and so
  /// are the names of loopback, but a name that leads to a private address *at the proxy* is the proxy's to refuse.
  case publicOnly(except: Set<String>)

  /// Whether connections to `host` are judged at all.
  package func judges(host: String) -> Bool {
    switch self {
    case .any: false
    case .publicOnly(let exceptions): !exceptions.contains(host)
    }
  }

  /// Whether a connection for the URL's `host` may go to `address`.
  package func allows(_ address: IPAddress, for host: String) -> Bool {
    !judges(host: host) || address.isPublic
  }

  /// Whether `host` may be asked for at all, before its address is known.
  ///
  /// - Parameter proxied: the name is looked up elsewhere, so that nobody here sees its address.
  func allows(host: String, proxied: Bool) -> Bool {
    guard judges(host: host) else { return true }
    if let address = IPAddress(literal: host) { return address.isPublic }
    guard proxied else { return true }
    // Letters that are none of ASCII's may be folded into digits and dots on the way.
    let name = host.hasSuffix(".") ? host.dropLast() : host[...]
    return name.utf8.allSatisfy { $0 < 128 } && name != "localhost" && !name.hasSuffix(".localhost")
  }
}
