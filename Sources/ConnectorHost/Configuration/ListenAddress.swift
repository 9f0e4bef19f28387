internal import HTTPServer
internal import Networking

/// Where a server of ours listens: `127.0.0.1:7180`, `[::1]:7180`, `off`.
struct ListenAddress: Equatable {
  /// Where; nil for `off`.
  var address: HTTPServer.Address?

  /// Reads `text`; nil when it is neither a numeric address with a port (0 takes a free one) nor `off`.
  init?(_ text: String) {
    guard text != "off" else { return }
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let port = Int(digits), port <= 65_535
    else { return nil }
    var host = String(text[..<colon])
    if host == "localhost" { host = "127.0.0.1" }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      guard host.contains(":") else { return nil }
    } else if host.contains(":") {
      return nil
    }
    guard Self.isNumeric(host) else { return nil }
    address = HTTPServer.Address(host: host, port: port)
  }

  /// Whether `host` is a numeric IPv4 or IPv6 address.
  private static func isNumeric(_ host: String) -> Bool {
    guard host.contains(":") else {
      let parts = host.split(separator: ".", omittingEmptySubsequences: false)
      return parts.count == 4
        && parts.allSatisfy { part in
          (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
            && Int(part).map { $0 <= 255 } == true
        }
    }
    // Letters alone cannot resolve to anything: the URL parser takes nothing but an address in brackets.
    return URLParts("http://[\(host)]/") != nil
  }
}
