internal import Networking

/// Where a Socket.IO server is.
package struct SocketIOAddress: Sendable, Hashable {
  /// The WebSocket's URL; it may carry a query of the owner's, so it is not logged.
  package let webSocketURL: String
  /// `host:port`, for logs.
  package let label: String
  /// Whether the connection is encrypted.
  package let isSecure: Bool

  /// The server at an `http` or `https` URL, of which scheme, host, port and query count; nil where it is none.
  ///
  /// A user or a password in it is refused as well. Neither a cache buster nor `Origin` is sent: servers need neither,
  /// and one behind a proxy may take its own name in the latter for a foreign one.
  package init?(_ serverURL: String) {
    guard let parts = URLParts(serverURL), !parts.hasCredentials else { return nil }
    switch parts.scheme {
    case "https", "wss": isSecure = true
    case "http", "ws": isSecure = false
    default: return nil
    }
    let query = parts.query.map { $0.isEmpty ? "" : "\($0)&" } ?? ""
    webSocketURL =
      "\(isSecure ? "wss" : "ws")://\(parts.authority)/socket.io/?\(query)transport=websocket&EIO=4"
    label = parts.hostAndPort
  }
}
