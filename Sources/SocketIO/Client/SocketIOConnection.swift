package import JSON
internal import Networking
package import Platform

/// A Socket.IO connection that stands: events out of it, events into it, until it ends.
///
/// Made by ``SocketIOClient/withConnection(_:)``, whose own tasks read, answer pings and watch for silence meanwhile, so
/// that however long an event takes to be handled, the connection lives. Safe from any task.
package final class SocketIOConnection: Sendable {
  private let socket: any MessageConnection
  private let time: any TimeSource
  private let notice: @Sendable (SocketIOOddity) -> Void
  private let session: Guarded<SocketIOSession>
  private let noticed = Guarded<Set<SocketIOOddity>>([])
  private let events: ClosableQueue<SocketIOEvent>
  private let acknowledgements = PendingAcknowledgements()
  private let opening = ClosableQueue<Void>(countLimit: 1, costLimit: 0)

  init(
    _ socket: any MessageConnection, options: SocketIOOptions, time: any TimeSource,
    notice: @escaping @Sendable (SocketIOOddity) -> Void
  ) {
    self.socket = socket
    self.time = time
    self.notice = notice
    session = Guarded(SocketIOSession(at: time.now, options: options))
    events = ClosableQueue(countLimit: options.eventLimit, costLimit: options.eventByteLimit)
  }

  // MARK: For those who use it

  /// The next event, in the order in which they came. One task takes them.
  ///
  /// Events that came before the connection's end are still given out, then why it ended is thrown. Take them quickly
  /// and handle them elsewhere: more than ``SocketIOOptions/eventLimit`` that wait end the connection.
  ///
  /// - Throws: `SocketIOFailure`: `.closed`, `.cancelled`.
  package func next() async throws(SocketIOFailure) -> SocketIOEvent { try await events.next() }

  /// Sends an event; returns when it has been handed to the kernel. Events of one task arrive in their order.
  ///
  /// - Throws: `SocketIOFailure`: `.tooLarge` (nothing was sent, the connection lives), `.closed`, `.cancelled`.
  package func emit(_ name: String, _ arguments: JSONValue...) async throws(SocketIOFailure) {
    let text = try session.withLock { session throws(SocketIOFailure) in
      try session.emit(name, arguments).text
    }
    try await send(text)
  }

  /// Sends an event and waits until the server acknowledges it.
  ///
  /// - Parameter timeout: how long that may take, sending included.
  /// - Returns: what the server said with it.
  /// - Throws: as ``emit(_:_:)``, and `.unacknowledged`.
  package func emit(
    _ name: String, _ arguments: JSONValue..., acknowledgedWithin timeout: Duration
  ) async throws(SocketIOFailure) -> [JSONValue] {
    let (text, id) = try session.withLock { session throws(SocketIOFailure) in
      let (text, id) = try session.emit(name, arguments, isAcknowledged: true)
      if let id { acknowledgements.reserve(id) }
      return (text, id)
    }
    guard let id else { return [] }
    defer {
      acknowledgements.release(id)
      session.withLock { $0.abandonAcknowledgement(id) }
    }
    let deadline = time.now.advanced(by: timeout)
    return try await withTaskGroup(of: PendingAcknowledgements.Outcome?.self) { group in
      group.addTask { [self] in
        do throws(SocketIOFailure) { try await send(text) } catch { return .failure(error) }
        return await acknowledgements.outcome(of: id)
      }
      group.addTask { [time] in
        do { try await time.sleep(until: deadline) } catch { return nil }
        return .failure(.unacknowledged)
      }
      var outcome: PendingAcknowledgements.Outcome?
      while outcome == nil, let finished = await group.next() { outcome = finished }
      group.cancelAll()
      return outcome ?? .failure(.cancelled)
    }.get()
  }

  /// Acknowledges an event, once it has been handled; does nothing where the server waits for none.
  ///
  /// - Throws: as ``emit(_:_:)``.
  package func acknowledge(
    _ event: SocketIOEvent, with arguments: JSONValue...
  ) async throws(SocketIOFailure) {
    guard let id = event.acknowledgementID else { return }
    let text = try session.withLock { session throws(SocketIOFailure) in
      try session.acknowledge(id, with: arguments)
    }
    try await send(text)
  }

  /// Returns when the server has read all that was sent before: its WebSocket has answered a ping behind it.
  ///
  /// Socket.IO has no such word for an event without an acknowledgement; the connection below it does.
  ///
  /// - Parameter timeout: how long the answer may take.
  /// - Throws: `SocketIOFailure`: `.unacknowledged` where none comes, `.closed`, `.cancelled`.
  package func flush(within timeout: Duration) async throws(SocketIOFailure) {
    do throws(NetworkError) { try await socket.ping(timeout: timeout) } catch {
      switch error.kind {
      case .cancelled: throw .cancelled
      case .timeout: throw .unacknowledged
      default: throw .closed(SocketIOClosure(error))
      }
    }
  }

  /// The largest message that the server takes, in bytes.
  package var sendLimit: Int { session.withLock { $0.sendLimit } }

  /// When the server's newest packet of any kind came, a ping for instance; nil once the connection has ended.
  package var lastHeard: MonotonicInstant? {
    session.withLock { session in
      guard let deadline = session.deadline, let limit = session.silenceLimit else { return nil }
      return deadline.advanced(by: .zero - limit)
    }
  }

  /// How long the server may be silent, as it said itself.
  package var silenceLimit: Duration? { session.withLock { $0.silenceLimit } }

  /// Ends the connection from this side, in an orderly way; idempotent. Does not wait, so it works in a cancelled task.
  package func close() {
    let lastWords = session.withLock { $0.leave() }
    finish(SocketIOClosure(.closedHere, "closed by this side"), saying: lastWords)
  }

  // MARK: For the client

  /// Returns when the server has let us into the namespace.
  ///
  /// - Throws: `SocketIOFailure`.
  func opened() async throws(SocketIOFailure) { try await opening.next() }

  /// Reads and answers until the connection ends or the task is cancelled.
  func pump() async {
    while true {
      let message: ReceivedMessage
      do throws(NetworkError) { message = try await socket.receiveMessage() } catch {
        if error.kind != .cancelled { lost(error) }
        return
      }
      let now = time.now
      let actions = session.withLock { session in
        message.isText
          ? session.receive(text: message.bytes, at: now) : session.receiveBinary(at: now)
      }
      for action in actions { await perform(action, cost: message.bytes.count) }
      if session.withLock({ $0.hasEnded }) { return }
    }
  }

  /// Watches for silence until the connection ends or the task is cancelled; before ``opened()``, for a handshake that
  /// takes too long.
  func watch() async {
    while let deadline = session.withLock({ $0.deadline }) {
      do { try await time.sleep(until: deadline) } catch { return }
      let now = time.now
      for action in session.withLock({ $0.timePassed(now: now) }) {
        await perform(action, cost: 0)
      }
    }
  }

  private func perform(_ action: SocketIOSession.Action, cost: Int) async {
    switch action {
    // Where this fails, the connection is going, which the reader learns.
    case .send(let text): try? await socket.send(text)
    case .connected: _ = opening.put((), cost: 0)
    case .event(let event):
      guard !events.put(event, cost: cost) else { return }
      session.withLock { $0.connectionLost() }
      finish(SocketIOClosure(.overflow, "the server sends more events than are taken"), saying: [])
    case .acknowledged(let id, let arguments): acknowledgements.settle(id, .success(arguments))
    case .notice(let oddity):
      if noticed.withLock({ $0.insert(oddity).inserted }) { notice(oddity) }
    case .end(let closure): finish(closure, saying: [])
    }
  }

  private func send(_ text: [UInt8]) async throws(SocketIOFailure) {
    do throws(NetworkError) { try await socket.send(text) } catch {
      switch error.kind {
      case .cancelled: throw .cancelled
      case .tooLarge: throw .tooLarge(bytes: text.count, limit: sendLimit)
      default: throw .closed(SocketIOClosure(error))
      }
    }
  }

  private func lost(_ error: NetworkError) {
    session.withLock { $0.connectionLost() }
    finish(SocketIOClosure(error), saying: [])
  }

  private func finish(_ closure: SocketIOClosure, saying lastWords: [[UInt8]]) {
    events.finish(closure)
    opening.finish(closure)
    acknowledgements.settleAll(.failure(.closed(closure)))
    socket.close(saying: lastWords)
  }
}
