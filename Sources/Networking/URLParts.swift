internal import CCurl
internal import Glibc
internal import Platform

/// The parts of an absolute URL, as libcurl's parser reads them.
package struct URLParts: Sendable, Hashable {
  /// Lower-case scheme: `http`, `https`, `ws`, `wss`.
  package var scheme: String
  /// Lower-case host, IPv6 without brackets (with `%zone` where the URL names one).
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

  /// Parses `text`; nil when it is no absolute URL with a host, or has another scheme than the four of ``scheme``.
  package init?(_ text: String) {
    // libcurl forgives `http:/host` and `http:///host`, and stops at a NUL; nobody means those.
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
      text.utf8[colon...].starts(with: "://".utf8), !text.utf8[colon...].starts(with: ":///".utf8),
      !text.utf8.contains(0), let parser = URLParser(text),
      let scheme = parser.part(CURLUPART_SCHEME)?.lowercased(),
      let defaultPort = Self.defaultPorts[scheme],
      var host = parser.part(CURLUPART_HOST)?.lowercased(), !host.isEmpty
    else { return nil }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      if let zone = parser.part(CURLUPART_ZONEID) { host += "%" + zone }
    }
    var port = defaultPort
    if let written = parser.part(CURLUPART_PORT) {
      guard let number = Int(written), (1...65_535).contains(number) else { return nil }
      port = number
    }
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = parser.part(CURLUPART_PATH) ?? "/"
    self.query = parser.part(CURLUPART_QUERY)
    self.fragment = parser.part(CURLUPART_FRAGMENT)
    self.hasCredentials =
      parser.part(CURLUPART_USER) != nil || parser.part(CURLUPART_PASSWORD) != nil
  }

  /// Where `reference` (a `Location` field: absolute, or relative to `base`) leads; nil when it cannot be read.
  package static func resolve(_ reference: String, from base: String) -> String? {
    guard !reference.utf8.contains(0), let parser = URLParser(base), parser.follow(reference) else {
      return nil
    }
    return parser.part(CURLUPART_URL)
  }

  private static let defaultPorts = ["http": 80, "https": 443, "ws": 80, "wss": 443]

  /// Whether the host is `localhost`, in 127.0.0.0/8 or `::1`.
  package var isLoopback: Bool {
    if host == "localhost" { return true }
    var address4 = in_addr()
    if unsafe inet_pton(AF_INET, host, &address4) == 1 {
      return UInt32(bigEndian: address4.s_addr) >> 24 == 127
    }
    var address6 = in6_addr()
    guard unsafe inet_pton(AF_INET6, host, &address6) == 1 else { return false }
    return unsafe withUnsafeBytes(of: &address6) { bytes in
      unsafe bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }
  }

  /// Whether the connection is encrypted.
  package var isSecure: Bool { scheme == "https" || scheme == "wss" }

  /// `scheme://host[:port]`, the port left out where it is the default, IPv6 in brackets.
  package var origin: String { "\(scheme)://\(authority)" }

  /// `host[:port]` as the `Host` field has it.
  package var authority: String {
    let name = host.contains(":") ? "[\(host.replacing(text: "%", with: "%25"))]" : host
    return port == Self.defaultPorts[scheme] ? name : "\(name):\(port)"
  }

  /// `host:port`, for messages.
  package var hostAndPort: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// The path with the query: what a request's first line names.
  var target: String { query.map { "\(path)?\($0)" } ?? path }

  /// `text` percent-encoded as one path segment or query value: all but unreserved characters (RFC 3986).
  package static func escape(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var escaped: [UInt8] = []
    escaped.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        escaped.append(byte)
      default:
        escaped += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: escaped, as: UTF8.self)
  }
}

/// Owner of one libcurl URL handle.
@safe private final class URLParser {
  private let handle: OpaquePointer

  init?(_ text: String) {
    guard let handle = unsafe curl_url() else { return nil }
    unsafe self.handle = unsafe handle
    // ws and wss are foreign to Debian 12's libcurl: any scheme is let through, and checked by the caller.
    let flags = UInt32(CURLU_NON_SUPPORT_SCHEME)
    guard unsafe curl_url_set(handle, CURLUPART_URL, text, flags) == CURLUE_OK else { return nil }
  }

  deinit { unsafe curl_url_cleanup(handle) }

  /// Moves on to `reference`, as browsers do: what must be escaped there and is not, is escaped here.
  func follow(_ reference: String) -> Bool {
    let flags = UInt32(CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE | CURLU_ALLOW_SPACE)
    return unsafe curl_url_set(handle, CURLUPART_URL, reference, flags) == CURLUE_OK
  }

  func part(_ part: CURLUPart) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard unsafe curl_url_get(handle, part, &text, 0) == CURLUE_OK, let text = unsafe text else {
      return nil
    }
    defer { unsafe curl_free(text) }
    return unsafe String(cString: text)
  }
}
