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
    /// An event of ours that must not be sent twice has gone out.
    var sent: @Sendable (Outgoing) -> Void = { _ in }
    /// The cloud has read it; or, with false, does not say so.
    var delivered: @Sendable (Outgoing, Bool) -> Void = { _, _ in }
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
          group.addTask {
            try await send(outgoing, over: connection) { report in
              listener.sent(report)
              sent.yield(report)
            }
          }
          // Ends only with the others: nobody finishes the stream.
          group.addTask {
            for await report in reports {
              do throws(SocketIOFailure) {
                try await connection.flush(within: Self.patience)
                listener.delivered(report, true)
              } catch {
                if case .unacknowledged = error { listener.delivered(report, false) }
              }
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
    _ sent: @Sendable (Outgoing) -> Void
  ) async throws {
    for await event in outgoing {
      do {
        try await connection.emit(event.name, .object(event.body))
        if event.name == JobEnd.kind { sent(event) }
      } catch SocketIOFailure.tooLarge(let bytes, let limit) {
        log(.warning, "\(event.name) of \(bytes) bytes is not sent: the cloud takes \(limit)")
      }
    }
  }
}
