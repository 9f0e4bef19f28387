import JSON
import Networking
import Platform
import SocketIO
import TestSupport
import Testing

/// A client on a manual clock, with the test as the server.
final class SocketIOBench: Sendable {
  let time = ManualTime()
  let sockets: ScriptedWebSockets
  let executor = IdleExecutor()
  private let told = Guarded<(oddities: [SocketIOOddity], events: [String])>(([], []))

  init() { sockets = ScriptedWebSockets(time: time) }

  /// What the server did wrong, as the client tells it.
  var oddities: [SocketIOOddity] { told.withLock { $0.oddities } }
  /// The names of the events that were taken.
  var events: [String] { told.withLock { $0.events } }

  func client(_ options: SocketIOOptions = SocketIOOptions()) throws -> SocketIOClient {
    let address = try #require(SocketIOAddress("http://cloud.test:3000/ignored?a=b"))
    return SocketIOClient(address, options: options, webSockets: sockets, time: time) {
      [told] oddity in told.withLock { $0.oddities.append(oddity) }
    }
  }

  /// Takes events until the connection ends; `onEvent` may use the connection.
  func takeEvents(
    of client: SocketIOClient,
    _ onEvent: @escaping @Sendable (SocketIOEvent, SocketIOConnection) async throws -> Void = {
      _, _ in
    }
  ) -> Task<Void, any Error> {
    Task(executorPreference: executor) { [told] in
      try await client.withConnection { connection in
        while true {
          let event = try await connection.next()
          told.withLock { $0.events.append(event.name) }
          try await onEvent(event, connection)
        }
      }
    }
  }

  /// Waits for the task's end, and for that of all that it has started.
  func end(
    of task: Task<Void, any Error>, sourceLocation: SourceLocation = #_sourceLocation
  ) async -> SocketIOFailure? {
    let result = await task.result
    await executor.idle()
    #expect(time.deadlines.isEmpty, sourceLocation: sourceLocation)
    let isClosed = sockets.sockets.allSatisfy { $0.isClosed }
    #expect(isClosed, sourceLocation: sourceLocation)
    guard case .failure(let error) = result else { return nil }
    return error as? SocketIOFailure
  }
}

extension SocketIOFailure {
  /// Why the connection ended, where it has.
  var reason: SocketIOClosure.Reason? {
    if case .closed(let closure) = self { closure.reason } else { nil }
  }
}
