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
  /// What a connection tells of, in order; each must be quick.
  struct Listener: Sendable {
    /// Events may be sent from now on.
    var opened: @Sendable (SocketIOConnection) -> Void = { _ in }
    /// An event came; the next one is not taken before this returns.
    var received: @Sendable (SocketIOEvent) async -> Void = { _ in }
    /// The cloud has read an event of ours that must not be sent twice.
    var delivered: @Sendable (Outgoing) -> Void = { _ in }
  }
  /// So long the cloud may take until it has read something.
  private static let patience = Duration.seconds(20)

  let client: SocketIOClient
  let log: Log

  /// Connects and serves until the connection ends, or until `outgoing` does.
  ///
  /// - Parameter outgoing: what is sent, in order.
  /// - Returns: why it ended.
  /// - Throws: `CancellationError`.
  func serve(
    _ outgoing: AsyncStream<Outgoing>, _ listener: Listener
  ) async throws -> SocketIOClosure {
    do {
      try await client.withConnection { connection in
        listener.opened(connection)
        let (reports, sent) = AsyncStream.makeStream(of: Outgoing.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            while true {
              let event = try await connection.next()
              await listener.received(event)
              try await connection.acknowledge(event)
            }
          }
          group.addTask { try await send(outgoing, over: connection, sent) }
          // Ends only with the others: nobody finishes the stream.
          group.addTask {
            for await report in reports {
              // Whoever does not answer is taken by his next word.
              guard (try? await connection.flush(within: Self.patience)) != nil else { continue }
              listener.delivered(report)
            }
          }
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
    _ outgoing: AsyncStream<Outgoing>, over connection: SocketIOConnection,
    _ reports: AsyncStream<Outgoing>.Continuation
  ) async throws {
    for await event in outgoing {
      do {
        try await connection.emit(event.name, .object(event.body))
        if event.name == JobEnd.kind { reports.yield(event) }
      } catch SocketIOFailure.tooLarge(let bytes, let limit) {
        log(.warning, "\(event.name) of \(bytes) bytes is not sent: the cloud takes \(limit)")
      }
    }
  }
}
