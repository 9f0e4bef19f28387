import JSON
import Networking
import Platform

/// A queue that one task waits on; a test's end of a wire.
final class Mailbox<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element] = []
    var waiting: CheckedContinuation<Element?, Never>?
    var isClosed = false
  }
  private let state = Guarded(State())

  func put(_ element: Element) {
    let waiting = state.withLock { state -> CheckedContinuation<Element?, Never>? in
      guard let waiting = state.waiting else {
        state.elements.append(element)
        return nil
      }
      state.waiting = nil
      return waiting
    }
    waiting?.resume(returning: element)
  }

  /// The next element; nil when the mailbox was closed or the task cancelled.
  func next() async -> Element? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (element, isOver) = state.withLock { state -> (Element?, Bool) in
          if !state.elements.isEmpty { return (state.elements.removeFirst(), true) }
          if state.isClosed || Task.isCancelled { return (nil, true) }
          state.waiting = continuation
          return (nil, false)
        }
        if isOver { continuation.resume(returning: element) }
      }
    } onCancel: {
      release()
    }
  }

  func close() {
    state.withLock { $0.isClosed = true }
    release()
  }

  private func release() {
    let waiting = state.withLock { state in
      defer { state.waiting = nil }
      return state.waiting
    }
    waiting?.resume(returning: nil)
  }
}

/// A connection whose other side is the test.
final class ScriptedConnection: MessageConnection {
  /// What a ping does.
  enum Pong: Sendable { case answered, never }

  private let toClient = Mailbox<[UInt8]>()
  private let toServer = Mailbox<[UInt8]>()
  private let state = Guarded((isClosed: false, reason: "closed", pong: Pong.answered, pings: 0))
  private let time: any TimeSource
  /// Sends never return, as with a peer that does not read.
  let isStuck: Bool

  init(time: any TimeSource, isStuck: Bool = false) {
    self.time = time
    self.isStuck = isStuck
  }

  var isClosed: Bool { state.withLock { $0.isClosed } }
  var pings: Int { state.withLock { $0.pings } }
  func answerPings(_ pong: Pong) { state.withLock { $0.pong = pong } }

  // MARK: The client's side

  func send(_ message: [UInt8]) async throws(NetworkError) {
    if isClosed { throw NetworkError(.closed, "closed") }
    if isStuck {
      _ = await Mailbox<Int>().next()
      throw NetworkError(.cancelled, "cancelled")
    }
    toServer.put(message)
  }

  func receive() async throws(NetworkError) -> [UInt8] {
    if let message = await toClient.next() { return message }
    if Task.isCancelled { throw NetworkError(.cancelled, "cancelled") }
    throw NetworkError(.closed, state.withLock { $0.reason })
  }

  func ping(timeout: Duration) async throws(NetworkError) {
    let pong = state.withLock { state in
      state.pings += 1
      return state.pong
    }
    if pong == .answered { return }
    do { try await time.sleep(for: timeout) } catch {
      throw NetworkError(.cancelled, "cancelled")
    }
    throw NetworkError(.timeout, "no pong")
  }

  func close() {
    state.withLock { $0.isClosed = true }
    toClient.close()
    toServer.close()
  }

  // MARK: The server's side

  /// The client's next message; nil when it has closed the connection.
  func nextRequest() async -> JSONValue? {
    guard let bytes = await toServer.next() else { return nil }
    return try? JSONValue(parsing: bytes)
  }

  /// Sends text to the client.
  func say(_ text: String) { toClient.put(Array(text.utf8)) }

  /// Answers a request.
  func answer(_ request: JSONValue, _ result: JSONValue) {
    let answer: JSONValue = [
      "jsonrpc": "2.0", "result": result, "id": request["id"] ?? .null,
    ]
    toClient.put(answer.serialized())
  }

  /// Refuses a request.
  func refuse(_ request: JSONValue, code: Int64, _ message: String) {
    let answer: JSONValue = [
      "jsonrpc": "2.0", "error": ["code": .integer(code), "message": .string(message)],
      "id": request["id"] ?? .null,
    ]
    toClient.put(answer.serialized())
  }

  /// Notifies the client.
  func notify(_ method: String, _ params: JSONValue? = nil) {
    var notification: JSONObject = ["jsonrpc": "2.0", "method": .string(method)]
    if let params { notification["params"] = params }
    toClient.put(JSONValue.object(notification).serialized())
  }

  /// Ends the connection from the server's side.
  func drop(_ reason: String) {
    state.withLock {
      $0.isClosed = true
      $0.reason = reason
    }
    toClient.close()
    toServer.close()
  }
}
