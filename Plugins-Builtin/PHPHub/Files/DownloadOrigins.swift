internal import Networking
internal import Platform

/// Where files may be fetched from: the hub's own origin and those that the owner has listed.
struct DownloadOrigins: Sendable, Hashable {
  /// `https://host[:port]`.
  let allowed: Set<String>
  /// What a connection may lead to: public addresses, the hub's own, and those that are listed as addresses. A listed
  /// name must lead to a public one: who answers for a name may change where it leads.
  let addresses: AddressPolicy

  /// The origins for a hub.
  ///
  /// - Parameters:
  ///   - servers: addresses of the hub's.
  ///   - listed: the owner's list.
  init(servers: [String], listed: [String]) {
    var allowed: Set<String> = []
    var exceptions: Set<String> = []
    for hub in servers.compactMap({ URLParts($0) }) {
      allowed.insert(hub.origin)
      // Where it sends us from http to https.
      if hub.scheme == "http", hub.port == 80,
        let secure = URLParts("https://\(Self.bracketed(hub.host))")
      {
        allowed.insert(secure.origin)
      }
      exceptions.insert(hub.host)
    }
    for origin in listed.flatMap(Self.origins) {
      allowed.insert(origin)
      if let parts = URLParts(origin), Self.isAddress(parts.host) { exceptions.insert(parts.host) }
    }
    self.allowed = allowed
    addresses = .publicOnly(except: exceptions)
  }

  /// Whether a file may be fetched from here.
  func allow(_ url: String) -> Bool {
    guard let parts = URLParts(url), ["http", "https"].contains(parts.scheme),
      !parts.hasCredentials
    else { return false }
    return allowed.contains(parts.origin)
  }

  /// The origins that an element of the owner's list names; none where it is no origin. Without a scheme it is https.
  static func origins(of text: String) -> [String] {
    let url = text.contains(text: "://") ? text : "https://\(text)"
    guard let parts = URLParts(url), ["http", "https"].contains(parts.scheme),
      !parts.hasCredentials, parts.path == "/" || parts.path.isEmpty, parts.query == nil,
      parts.host.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0 != "*" })
    else { return [] }
    return [parts.origin]
  }

  private static func isAddress(_ host: String) -> Bool {
    host.contains(":")
      || (!host.isEmpty && host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E })
  }

  private static func bracketed(_ host: String) -> String {
    host.contains(":") ? "[\(host)]" : host
  }
}
