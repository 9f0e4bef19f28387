internal import Glibc

/// Under which names a visitor may call the server.
///
/// A page of a stranger can make its own name point here (DNS rebinding) and would then count as the same origin. Such
/// a name is refused: only numeric addresses, `localhost`, this host's own name (bare or under a suffix that nobody can
/// register) and the names that the owner lists are taken.
struct HostPolicy: Sendable {
  private var names: Set<String>
  private static let unregistrableSuffixes = [
    "", ".local", ".lan", ".home", ".home.arpa", ".internal", ".localdomain",
  ]

  /// A policy for a host that calls itself `ownName` and answers to `names` as well.
  init(ownName: String, names: [String]) {
    let own = Self.normalized(ownName[...])
    let bare = own.split(separator: ".").first.map(String.init) ?? own
    self.names = Set(Self.unregistrableSuffixes.map { bare + $0 })
    self.names.formUnion([own, "localhost"])
    self.names.formUnion(names.map { Self.normalized($0[...]) })
  }

  /// Whether the value of a `Host` field names us; a port in it is not compared.
  func accepts(_ host: String) -> Bool {
    guard let name = Self.name(in: host) else { return false }
    return Self.isNumeric(name) || names.contains(name)
  }

  /// The host in `host[:port]` or `[address][:port]`, normalized; nil where the form is wrong.
  private static func name(in host: String) -> String? {
    let name: Substring
    let rest: Substring
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      name = host[host.index(after: host.startIndex)..<end]
      rest = host[host.index(after: end)...]
      guard name.contains(":") else { return nil }
    } else {
      let end = host.firstIndex(of: ":") ?? host.endIndex
      name = host[..<end]
      rest = host[end...]
    }
    guard !name.isEmpty, rest.isEmpty || rest.first == ":" else { return nil }
    let port = rest.dropFirst().utf8
    guard port.count <= 5, port.allSatisfy(ASCII.isDigit) else { return nil }
    return normalized(name)
  }

  private static func normalized(_ name: Substring) -> String {
    let lowered = name.lowercased()
    return lowered.hasSuffix(".") ? String(lowered.dropLast()) : lowered
  }

  private static func isNumeric(_ name: String) -> Bool {
    var address4 = in_addr()
    var address6 = in6_addr()
    return unsafe inet_pton(AF_INET, name, &address4) == 1
      || inet_pton(AF_INET6, name, &address6) == 1
  }
}
