package import JSON
package import Networking

/// How a Socket.IO connection is made, and its limits.
package struct SocketIOOptions: Sendable, Hashable {
  /// The namespace, with its slash.
  package var namespace = "/"
  /// What goes with the connect packet.
  package var authentication = JSONObject()
  /// Header fields of the WebSocket's handshake, such as `User-Agent`.
  package var fields: [HTTPField] = []
  /// The time for TCP, TLS and the WebSocket's handshake together.
  package var openingTimeout = Duration.seconds(15)
  /// The time from the open WebSocket until the server has let us into the namespace.
  package var handshakeTimeout = Duration.seconds(10)
  /// The largest message that is taken, in bytes; a larger one ends the connection.
  package var messageLimit = 1 << 20
  /// The most events that may wait to be taken; more end the connection.
  package var eventLimit = 256
  /// The most bytes that the waiting events may have come in; more end the connection.
  package var eventByteLimit = 2 << 20

  /// The usual values.
  package init() {}
}
