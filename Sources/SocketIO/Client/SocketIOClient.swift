package import Networking
package import Platform

/// Makes connections to one Socket.IO server (Engine.IO 4, Socket.IO 5), over WebSockets only.
///
/// One call is one connection: coming back is the caller's loop, with ``ReconnectSchedule`` for its waits.
package struct SocketIOClient: Sendable {
  private let address: SocketIOAddress
  private let options: SocketIOOptions
  private let webSockets: any WebSocketTransport
  private let time: any TimeSource
  private let notice: @Sendable (SocketIOOddity) -> Void

  /// A client; it opens nothing yet.
  ///
  /// - Parameters:
  ///   - address: where the server is.
  ///   - options: namespace, header fields, time-outs, limits.
  ///   - webSockets: what opens WebSockets.
  ///   - time: the clock of the time-outs.
  ///   - notice: is told of what the server does wrong and is passed over, each kind once per connection; quick.
  package init(
    _ address: SocketIOAddress, options: SocketIOOptions = SocketIOOptions(),
    webSockets: any WebSocketTransport, time: any TimeSource,
    notice: @escaping @Sendable (SocketIOOddity) -> Void = { _ in }
  ) {
    self.address = address
    self.options = options
    self.webSockets = webSockets
    self.time = time
    self.notice = notice
  }

  /// Connects, runs `body` with the connection once events may be emitted, and closes it in an orderly way.
  ///
  /// Pings are answered and silence is noticed by tasks of this call's own, which have ended on return. When the
  /// connection ends, `body` learns it from ``SocketIOConnection/next()`` and from whatever it sends; it is not
  /// cancelled. Events that came before the server let us in are not lost.
  ///
  /// - Parameter body: runs on the caller's isolation.
  /// - Returns: what `body` returned.
  /// - Throws: `SocketIOFailure` where no connection came about; else what `body` threw.
  package func withConnection<Result: Sendable>(
    _ body: (SocketIOConnection) async throws -> Result
  ) async throws -> Result {
    let request = WebSocketRequest(
      address.webSocketURL, fields: options.fields, timeout: options.openingTimeout,
      messageLimit: options.messageLimit)
    let socket: any MessageConnection
    do throws(NetworkError) { socket = try await webSockets.open(request) } catch {
      throw error.kind == .cancelled ? SocketIOFailure.cancelled : .closed(SocketIOClosure(error))
    }
    let connection = SocketIOConnection(socket, options: options, time: time, notice: notice)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      // Before the group waits for its tasks, on whatever way out: they end with the connection.
      defer {
        connection.close()
        group.cancelAll()
      }
      group.addTask { await connection.pump() }
      try await withThrowingTaskGroup(of: Void.self) { opening in
        opening.addTask { await connection.watch() }
        defer { opening.cancelAll() }
        try await connection.opened()
      }
      group.addTask { await connection.watch() }
      return try await body(connection)
    }
  }
}
