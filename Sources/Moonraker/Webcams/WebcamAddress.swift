internal import Networking
internal import Platform

/// Where a camera's address leads, seen from this host.
///
/// A path belongs to the web page's origin at the printer's host, not to Moonraker's port. `localhost` in an absolute
/// address means the printer, which may be another host than this one.
package enum WebcamAddress {
  /// The web page that paths belong to.
  package enum Page: Sendable, Hashable {
    /// The one on this port of the printer's host; 80 as a rule, 8080 for a camera server without one.
    case port(Int)
    /// The one at this `http` or `https` address, which may have a path of its own.
    case address(String)
  }

  /// The absolute address for what stands in Moonraker's list.
  ///
  /// - Parameters:
  ///   - text: an `http` or `https` address, or a path with or without its first slash.
  ///   - host: Moonraker's host, IPv6 without brackets: ``MoonrakerAddress/host``.
  ///   - page: the web page, for paths.
  /// - Returns: nil for an empty text and for what no HTTP client can fetch (`rtsp://…`).
  package static func absolute(_ text: String, host: String, page: Page) -> String? {
    guard !text.isEmpty else { return nil }
    if let schemeEnd = text.firstRange(ofText: "://"), isScheme(text[..<schemeEnd.lowerBound]) {
      return absolute(withScheme: text, after: schemeEnd.upperBound, host: host)
    }
    guard !text.utf8.starts(with: "//".utf8) else {
      return absolute("http:" + text, host: host, page: page)
    }
    let path = text.utf8.first == UInt8(ascii: "/") ? text[...] : "/" + text
    switch page {
    case .port(80): return fetchable("http://\(bracketed(host))\(path)")
    case .port(let port): return fetchable("http://\(bracketed(host)):\(port)\(path)")
    case .address(let address):
      let start = address.utf8.last == UInt8(ascii: "/") ? address.dropLast() : address[...]
      return fetchable("\(start)\(path)")
    }
  }

  /// An address with a scheme; loopback becomes `host`, and user, port and path stay as they are written.
  private static func absolute(
    withScheme text: String, after start: String.Index, host: String
  ) -> String? {
    guard let parts = URLParts(text), parts.scheme == "http" || parts.scheme == "https" else {
      return nil
    }
    guard parts.isLoopback, !isLoopback(host) else { return text }
    let rest = text[start...]
    let end =
      rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || isOneOf($0, "?", "#") } ?? text.endIndex
    let authority = rest[..<end]
    let nameStart =
      authority.utf8.lastIndex(of: UInt8(ascii: "@")).map { text.utf8.index(after: $0) } ?? start
    let name = authority[nameStart...]
    let nameEnd: String.Index
    if name.utf8.first == UInt8(ascii: "[") {
      guard let bracket = name.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      nameEnd = text.utf8.index(after: bracket)
    } else {
      nameEnd = name.utf8.firstIndex(of: UInt8(ascii: ":")) ?? end
    }
    return fetchable("\(text[..<nameStart])\(bracketed(host))\(text[nameEnd...])")
  }

  private static func isScheme(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || isOneOf(byte, "+", "-")
      }
  }

  private static func isOneOf(_ byte: UInt8, _ one: Unicode.Scalar, _ other: Unicode.Scalar) -> Bool
  {
    byte == UInt8(ascii: one) || byte == UInt8(ascii: other)
  }

  private static func isLoopback(_ host: String) -> Bool {
    URLParts("http://\(bracketed(host))/")?.isLoopback ?? false
  }

  /// The host as an address spells it: IPv6 in brackets, the sign before its zone escaped.
  private static func bracketed(_ host: String) -> String {
    host.utf8.contains(UInt8(ascii: ":"))
      ? "[\(host.replacing(text: "%", with: "%25"))]" : host
  }

  private static func fetchable(_ url: String) -> String? { URLParts(url) == nil ? nil : url }
}
