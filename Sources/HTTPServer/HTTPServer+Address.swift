extension HTTPServer {
  /// Where to listen.
  package struct Address: Sendable, Hashable, CustomStringConvertible {
    /// A numeric address: `127.0.0.1`, `::1`, `0.0.0.0`; `::` takes IPv4 as well.
    package var host: String
    /// 0 to 65535; 0 takes a free one.
    package var port: Int

    /// An address.
    package init(host: String, port: Int) {
      self.host = host
      self.port = port
    }

    /// `127.0.0.1:7180`, `[::1]:7180`.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  }
}
