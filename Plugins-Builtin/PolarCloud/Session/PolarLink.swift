internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform
internal import SocketIO

/// One connection at a time: carries events both ways until it ends.
struct PolarLink: Sendable {
  /// An event on its way to the cloud.
  struct Outgoing: Sendable {
    var name: String
    var body: JSONObject
  }
  let client: SocketIOClient
  let log: Log

  /// Connects and serves until the connection ends, or until `outgoing` does.
  ///
  /// - Parameters:
  ///   - outgoing: what is sent, in order.
  ///   - opened: is told of the connection once events may be sent.
  ///   - received: is told of each event, in order; must be quick.
  /// - Returns: why it ended.
  /// - Throws: `CancellationError`.
  func serve(
    _ outgoing: AsyncStream<Outgoing>, opened: @Sendable (SocketIOConnection) -> Void,
    received: @escaping @Sendable (SocketIOEvent) -> Void
  ) async throws -> SocketIOClosure {
    do {
      try await client.withConnection { connection in
        opened(connection)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            while true {
              let event = try await connection.next()
              received(event)
              try await connection.acknowledge(event)
            }
          }
          group.addTask { try await send(outgoing, over: connection) }
          defer { group.cancelAll() }
          try await group.next()
        }
      }
      return SocketIOClosure(.closedHere, "closed by this side")
    } catch SocketIOFailure.closed(let closure) {
      return closure
    } catch {
      try Task.checkCancellation()
      return SocketIOClosure(.network(.other), "\(error)")
    }
  }

  private func send(
    _ outgoing: AsyncStream<Outgoing>, over connection: SocketIOConnection
  ) async throws {
    for await event in outgoing {
      do {
        try await connection.emit(event.name, .object(event.body))
      } catch SocketIOFailure.tooLarge(let bytes, let limit) {
        log(.warning, "\(event.name) of \(bytes) bytes is not sent: the cloud takes \(limit)")
      }
    }
  }
}
