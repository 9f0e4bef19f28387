package import Networking
package import Platform
package import Testing

/// WebSockets on paper: each opening waits for the test, which answers it and then is the other side.
package final class ScriptedWebSockets: WebSocketTransport {
  private struct State {
    var requests: [WebSocketRequest] = []
    var sockets: [ScriptedWebSocket] = []
    var refusals: [NetworkError] = []
    var isSilent = false
  }
  private let state = Guarded(State())
  private let time: any TimeSource

  /// Openings that are answered at once until a test says something else.
  ///
  /// - Parameter time: the clock of the openings that are never answered.
  package init(time: any TimeSource) { self.time = time }

  /// What was asked for so far, in order.
  package var requests: [WebSocketRequest] { state.withLock { $0.requests } }

  /// The sockets that were opened so far, in order.
  package var sockets: [ScriptedWebSocket] { state.withLock { $0.sockets } }

  /// Refuses the next opening that no earlier refusal is meant for.
  package func refuse(_ error: NetworkError) { state.withLock { $0.refusals.append(error) } }

  /// Leaves openings without an answer from now on, or no longer.
  package func beSilent(_ isSilent: Bool = true) { state.withLock { $0.isSilent = isSilent } }

  /// Waits until `count` sockets were opened, and returns the last of them.
  ///
  /// - Throws: when they are not opened within ten seconds.
  package func socket(
    _ count: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> ScriptedWebSocket {
    await until({ sockets.count >= count }, sourceLocation: sourceLocation)
    let opened = sockets
    try #require(opened.count >= count, sourceLocation: sourceLocation)
    return opened[count - 1]
  }

  package func open(
    _ request: WebSocketRequest
  ) async throws(NetworkError) -> any MessageConnection {
    let isSilent = state.withLock { state in
      state.requests.append(request)
      return state.isSilent
    }
    if isSilent {
      do { try await time.sleep(for: request.timeout) } catch {
        throw NetworkError(.cancelled, "cancelled")
      }
      throw NetworkError(.timeout, "no connection in time")
    }
    if Task.isCancelled { throw NetworkError(.cancelled, "cancelled") }
    return try state.withLock { state throws(NetworkError) in
      if !state.refusals.isEmpty { throw state.refusals.removeFirst() }
      let socket = ScriptedWebSocket()
      state.sockets.append(socket)
      return socket
    }
  }
}

/// A WebSocket whose other side is the test.
package final class ScriptedWebSocket: MessageConnection {
  private struct State {
    var inbound: [ReceivedMessage] = []
    var end: NetworkError?
    var receiver: CheckedContinuation<Result<ReceivedMessage, NetworkError>, Never>?
    var sent: [String] = []
    var isClosed = false
    var isStuck = false
    var stuck: [Int: CheckedContinuation<Void, Never>] = [:]
    var nextID = 0
    var breaksAfter: Int?

    mutating func takeReceiver()
      -> CheckedContinuation<Result<ReceivedMessage, NetworkError>, Never>?
    {
      defer { receiver = nil }
      return receiver
    }
  }
  private let state = Guarded(State())

  /// A socket that is open.
  package init() {}

  // MARK: The other side

  /// What was sent to the other side so far, in order.
  package var sent: [String] { state.withLock { $0.sent } }

  /// Whether this program has closed it.
  package var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Waits until `count` messages were sent, and returns all that were.
  ///
  /// - Throws: when they are not sent within ten seconds.
  package func sent(
    atLeast count: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> [String] {
    await until({ sent.count >= count }, sourceLocation: sourceLocation)
    let texts = sent
    try #require(texts.count >= count, sourceLocation: sourceLocation)
    return texts
  }

  /// Sends text.
  package func say(_ text: String) { put(ReceivedMessage(Array(text.utf8))) }

  /// Sends a binary message.
  package func sayBinary(_ bytes: [UInt8]) { put(ReceivedMessage(bytes, isText: false)) }

  /// Ends it: with `error`, or with a TCP connection that is gone. What was said before is still received.
  package func drop(_ error: NetworkError = NetworkError(.closed, "closed (1006)")) {
    let receiver = state.withLock { state in
      state.end = state.end ?? error
      return state.takeReceiver()
    }
    receiver?.resume(returning: .failure(error))
    unstick()
  }

  /// Ends it with a close frame.
  package func closeInOrder(code: Int = 1000) {
    drop(NetworkError(.closed, "closed with code \(code)", closeCode: code))
  }

  /// Sends text with a close frame right behind it, both in one flight: nothing is taken in between.
  package func sayLast(_ text: String, code: Int = 1000) {
    let message = ReceivedMessage(Array(text.utf8))
    let receiver = state.withLock { state in
      let receiver = state.takeReceiver()
      if receiver == nil { state.inbound.append(message) }
      state.end =
        state.end ?? NetworkError(.closed, "closed with code \(code)", closeCode: code)
      return receiver
    }
    receiver?.resume(returning: .success(message))
    unstick()
  }

  /// Takes nothing any more: whoever sends waits until the end.
  package func stopReading() { state.withLock { $0.isStuck = true } }

  /// Is gone as soon as `count` messages were sent to it.
  package func breakAfter(sent count: Int) { state.withLock { $0.breaksAfter = count } }

  private func put(_ message: ReceivedMessage) {
    let receiver = state.withLock { state in
      let receiver = state.takeReceiver()
      if receiver == nil { state.inbound.append(message) }
      return receiver
    }
    receiver?.resume(returning: .success(message))
  }

  private func unstick() {
    let stuck = state.withLock { state in
      defer { state.stuck = [:] }
      return state.stuck
    }
    for waiter in stuck.values { waiter.resume() }
  }

  // MARK: This program's side

  package func send(_ message: [UInt8]) async throws(NetworkError) {
    if Task.isCancelled { throw NetworkError(.cancelled, "cancelled") }
    let (id, isStuck) = state.withLock { state in
      state.nextID += 1
      return (state.nextID, state.isStuck && state.end == nil && !state.isClosed)
    }
    if isStuck {
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let mustWait = state.withLock { state in
            guard state.end == nil, !state.isClosed, !Task.isCancelled else { return false }
            state.stuck[id] = continuation
            return true
          }
          if !mustWait { continuation.resume() }
        }
      } onCancel: {
        state.withLock { $0.stuck.removeValue(forKey: id) }?.resume()
      }
      if Task.isCancelled { throw NetworkError(.cancelled, "cancelled") }
    }
    let breaks = try state.withLock { state throws(NetworkError) in
      if let end = state.end { throw end }
      if state.isClosed { throw NetworkError(.closed, "closed by this side") }
      state.sent.append(String(decoding: message, as: UTF8.self))
      return state.breaksAfter.map { $0 <= state.sent.count } ?? false
    }
    if breaks { drop() }
  }

  package func receive() async throws(NetworkError) -> [UInt8] { try await receiveMessage().bytes }

  package func receiveMessage() async throws(NetworkError) -> ReceivedMessage {
    try await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let outcome = state.withLock { state -> Result<ReceivedMessage, NetworkError>? in
          if !state.inbound.isEmpty { return .success(state.inbound.removeFirst()) }
          if let end = state.end { return .failure(end) }
          if Task.isCancelled { return .failure(NetworkError(.cancelled, "cancelled")) }
          state.receiver = continuation
          return nil
        }
        if let outcome { continuation.resume(returning: outcome) }
      }
    } onCancel: {
      let receiver = state.withLock { $0.takeReceiver() }
      receiver?.resume(returning: .failure(NetworkError(.cancelled, "cancelled")))
    }.get()
  }

  package func ping(timeout: Duration) async throws(NetworkError) {}

  package func close() { close(saying: []) }

  package func close(saying lastWords: [[UInt8]]) {
    let receiver = state.withLock { state in
      if !state.isClosed, state.end == nil {
        state.sent += lastWords.map { String(decoding: $0, as: UTF8.self) }
      }
      state.isClosed = true
      state.end = state.end ?? NetworkError(.closed, "closed by this side")
      return state.takeReceiver()
    }
    receiver?.resume(returning: .failure(NetworkError(.closed, "closed by this side")))
    unstick()
  }
}

extension ScriptedWebSocket {
  /// Lets this program in, as a server of Socket.IO does: handshake, then the answer to its connect packet.
  ///
  /// - Parameters:
  ///   - pingInterval: in milliseconds.
  ///   - pingTimeout: in milliseconds.
  /// - Throws: when it does not connect within ten seconds.
  package func letIn(pingInterval: Int = 25_000, pingTimeout: Int = 20_000) async throws {
    say(
      #"0{"sid":"s","upgrades":[],"pingTimeout":\#(pingTimeout),"#
        + #""pingInterval":\#(pingInterval),"maxPayload":1000000}"#)
    _ = try await sent(atLeast: 1)
    say(#"40{"sid":"n"}"#)
  }

  /// Sends an event whose arguments are `arguments`, JSON texts with commas between them.
  package func sayEvent(_ name: String, _ arguments: String = "") {
    say(#"42["\#(name)"\#(arguments.isEmpty ? "" : ",")\#(arguments)]"#)
  }
}
