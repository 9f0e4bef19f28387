/// A WebSocket to be opened.
package struct WebSocketRequest: Sendable, Hashable {
  /// The absolute URL, `ws://` or `wss://`, already escaped.
  package var url: String
  /// Header fields beside the handshake's own.
  package var fields: [HTTPField]
  /// The time for connection, TLS and handshake together.
  package var timeout: Duration
  /// The largest message that is taken, in bytes; a larger one ends the connection with `NetworkError.tooLarge`.
  package var messageLimit: Int

  /// A request.
  package init(
    _ url: String, fields: [HTTPField] = [], timeout: Duration = .seconds(15),
    messageLimit: Int = 1 << 20
  ) {
    self.url = url
    self.fields = fields
    self.timeout = timeout
    self.messageLimit = messageLimit
  }
}

/// What opens WebSockets: the network in what ships, a script in tests.
package protocol WebSocketTransport: Sendable {
  /// Opens a WebSocket and returns when the server has agreed.
  ///
  /// - Throws: `NetworkError`, with its `httpStatus` when the server answered but refused; `.cancelled` when the
  ///   task was cancelled.
  func open(_ request: WebSocketRequest) async throws(NetworkError) -> any MessageConnection
}
