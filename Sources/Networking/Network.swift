/// How connections leave this host.
package struct NetworkSettings: Sendable, Hashable {
  /// A PEM file of trusted CAs instead of the system's store.
  package var caFile: String?
  /// A proxy's URL; nil leaves it to the usual environment variables, an empty string means none at all.
  package var proxy: String?
  /// Settings for all connections of one network.
  package init(caFile: String? = nil, proxy: String? = nil) {
    self.caFile = caFile
    self.proxy = proxy
  }
}

/// The one thread on which all connections run (libcurl multi), and what opens them.
///
/// Release the last reference, or call ``shutdown()``, to end the thread.
package final class Network: Sendable {
  /// Starts the network thread.
  package init() throws(NetworkError) {}

  /// An HTTP client with keep-alive connections of its own; cheap, one per backend.
  ///
  /// - Parameters:
  ///   - settings: CA file and proxy.
  ///   - pinnedPublicKey: libcurl's `sha256//…` form, or nil.
  package func client(
    settings: NetworkSettings = NetworkSettings(), pinnedPublicKey: String? = nil
  ) -> any HTTPTransport { NoTransport() }

  /// Opens a WebSocket to `url` (`ws://` or `wss://`).
  ///
  /// - Parameters:
  ///   - fields: further header fields of the handshake.
  ///   - timeout: the time for connection and handshake together.
  ///   - messageLimit: the largest message that is taken, in bytes.
  /// - Throws: `NetworkError`.
  package func webSocket(
    _ url: String, fields: [HTTPField] = [], settings: NetworkSettings = NetworkSettings(),
    timeout: Duration = .seconds(15), messageLimit: Int = 16 << 20
  ) async throws(NetworkError) -> any MessageConnection { throw NetworkError(.other, "stub") }

  /// Connects to the Unix socket at `path`, on which messages end with `delimiter`.
  package func unixSocket(
    _ path: String, delimiter: UInt8 = 0x03, messageLimit: Int = 16 << 20
  ) async throws(NetworkError) -> any MessageConnection { throw NetworkError(.other, "stub") }

  /// Closes everything and ends the thread; every waiting call throws `.cancelled`.
  package func shutdown() {}
}

private struct NoTransport: HTTPTransport {
  func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
    throw NetworkError(.other, "stub")
  }
}
