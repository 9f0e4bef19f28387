internal import Moonraker
internal import Networking

/// Addresses of the host's own settings.
enum HostAddress {
  /// Moonraker's address, `~` in a socket's path expanded.
  static func moonraker(_ text: String, _ context: DecodingContext) -> MoonrakerAddress? {
    guard text.hasPrefix("unix:~/") else { return MoonrakerAddress(text) }
    return MoonrakerAddress("unix:" + context.absolute(String(text.dropFirst(5))))
  }

  /// Whether `text` is a proxy's URL as libcurl takes it.
  static func isProxy(_ text: String) -> Bool {
    let schemes = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]
    guard let scheme = schemes.first(where: { text.hasPrefix($0 + "://") }) else { return false }
    // The parser knows the schemes of clouds only; host and port look the same.
    return URLParts("http" + text.dropFirst(scheme.count)) != nil
  }
}
