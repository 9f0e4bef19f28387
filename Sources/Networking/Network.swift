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
/// It sleeps until a socket is ready or something is due. Release the last reference, or call
/// ``shutdown()``, to end the thread; clients and connections keep it alive as long as they live.
package final class Network: Sendable {
  private let thread: NetworkThread
  private let keepAlive: Duration

  /// Starts the network thread.
  ///
  /// - Parameter keepAlive: how long a client's unused connections are kept.
  /// - Throws: `NetworkError` when the thread or libcurl cannot be started.
  package init(keepAlive: Duration = .seconds(45)) throws(NetworkError) {
    self.keepAlive = keepAlive
    thread = try NetworkThread()
  }

  /// An HTTP client with keep-alive connections of its own; cheap, one per backend.
  ///
  /// A connection that the server closed meanwhile is not used again. If one breaks just when a request was
  /// sent on it, the request fails (``NetworkError/requestMayHaveArrived``) and is not sent again.
  ///
  /// - Parameters:
  ///   - settings: CA file and proxy. Loopback hosts are never reached through a proxy.
  ///   - pinnedPublicKey: libcurl's `sha256//…` form, or nil.
  ///   - onExchange: is told of every exchange that was tried, on the task that sent it.
  package func client(
    settings: NetworkSettings = NetworkSettings(), pinnedPublicKey: String? = nil,
    onExchange: (@Sendable (ExchangeReport) -> Void)? = nil
  ) -> any HTTPTransport {
    HTTPClient(
      thread: thread, keepAlive: keepAlive, settings: settings, pinnedPublicKey: pinnedPublicKey,
      onExchange: onExchange)
  }

  /// Opens a WebSocket to `url` (`ws://` or `wss://`).
  ///
  /// - Parameters:
  ///   - fields: further header fields of the handshake.
  ///   - timeout: the time for connection and handshake together.
  ///   - messageLimit: the largest message that is taken, in bytes.
  /// - Throws: `NetworkError`, with its `httpStatus` when the server answered but refused; `.cancelled` when the
  ///   task was cancelled.
  package func webSocket(
    _ url: String, fields: [HTTPField] = [], settings: NetworkSettings = NetworkSettings(),
    timeout: Duration = .seconds(15), messageLimit: Int = 16 << 20
  ) async throws(NetworkError) -> any MessageConnection {
    guard let target = URLParts(url), target.scheme == "ws" || target.scheme == "wss",
      !target.hasCredentials
    else {
      throw NetworkError(.badURL, "the address is no ws or wss URL, or carries a user or password")
    }
    let label = target.hostAndPort
    let nonce = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
    let handshake = try UpgradeHandshake(target: target, fields: fields, nonce: nonce)
    let framing = try WebSocketFraming(handshake, messageLimit: messageLimit, label: label)
    let stream = CurlStream(target: target, settings: settings, timeout: timeout)
    return try await Connection.open(
      stream, framing, label: label, timeout: timeout, hasPings: true, reservedByte: nil, on: thread
    )
  }

  /// What opens WebSockets with these settings; cheap, one per backend.
  package func webSockets(settings: NetworkSettings = NetworkSettings()) -> any WebSocketTransport {
    NetworkWebSockets(network: self, settings: settings)
  }

  /// Connects to the Unix socket at `path`, on which messages end with `delimiter`.
  ///
  /// - Parameter messageLimit: the largest message that is taken, in bytes.
  /// - Throws: `NetworkError`, `.connect` when nobody listens there.
  package func unixSocket(
    _ path: String, delimiter: UInt8 = 0x03, messageLimit: Int = 16 << 20
  ) async throws(NetworkError) -> any MessageConnection {
    let label = "socket \(path)"
    let framing = DelimiterFraming(
      delimiter: delimiter, messageLimit: messageLimit, label: label)
    return try await Connection.open(
      UnixStream(path: path), framing, label: label, timeout: .seconds(5), hasPings: false,
      reservedByte: delimiter, on: thread)
  }

  /// Closes everything and ends the thread; every waiting call throws `.cancelled`.
  ///
  /// Returns when the thread has ended, within milliseconds.
  package func shutdown() { thread.stop() }
}

/// WebSockets of one network.
private struct NetworkWebSockets: WebSocketTransport {
  let network: Network
  let settings: NetworkSettings

  func open(_ request: WebSocketRequest) async throws(NetworkError) -> any MessageConnection {
    try await network.webSocket(
      request.url, fields: request.fields, settings: settings, timeout: request.timeout,
      messageLimit: request.messageLimit)
  }
}
