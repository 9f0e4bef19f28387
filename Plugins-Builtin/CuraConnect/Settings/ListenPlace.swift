internal import HTTPServer
internal import Networking

/// Reads `address:port`.
enum ListenPlace {
  /// The address in `text`: `127.0.0.1:8008`, `[::]:80`; nil where it is none.
  static func address(_ text: String) -> HTTPServer.Address? {
    guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    guard let port = Int(text[text.utf8.index(after: colon)...]), (0...65_535).contains(port),
      host.utf8.allSatisfy({ $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "]") }),
      IPAddress(literal: host) != nil
    else { return nil }
    return HTTPServer.Address(host: host, port: port)
  }
}
