package import JSON
package import Networking
package import Platform

/// JSON-RPC over one message connection: concurrent calls, matched with their answers by id.
///
/// One task reads with ``receive()``; any number may call. The connection's end fails every pending call.
package final class RPCConnection: Sendable {
  private typealias Outcome = Result<JSONValue, RPCFailure>
  private enum Call {
    case sent
    case answered(Outcome)
    case awaited(CheckedContinuation<Outcome, Never>)
  }
  private struct State {
    var nextID: Int64 = 1
    var pending: [Int64: Call] = [:]
    /// Why the connection ended, once it has.
    var end: String?
  }
  private let connection: any MessageConnection
  private let time: any TimeSource
  private let state = Guarded(State())

  /// JSON-RPC over `connection`, with time-outs by `time`.
  package init(_ connection: any MessageConnection, time: any TimeSource) {
    self.connection = connection
    self.time = time
  }

  /// Calls `method` and waits for its result.
  ///
  /// - Parameters:
  ///   - params: an object, or nil for none.
  ///   - timeout: how long the answer may take, sending included; nil waits as long as the connection lives.
  /// - Throws: `RPCFailure`.
  package func call(
    _ method: String, _ params: JSONObject? = nil, timeout: Duration? = .seconds(10)
  ) async throws(RPCFailure) -> JSONValue {
    let id = state.withLock { state in
      defer { state.nextID &+= 1 }
      return state.nextID
    }
    var request: JSONObject = [
      "jsonrpc": "2.0", "method": .string(method), "id": .integer(id),
    ]
    if let params { request["params"] = .object(params) }
    let bytes = JSONValue.object(request).serialized()
    guard let timeout else { return try await exchange(bytes, id: id) }

    let deadline = time.now.advanced(by: timeout)
    return try await withTaskGroup(of: Outcome?.self) { group in
      group.addTask { [self] in
        do throws(RPCFailure) { return .success(try await exchange(bytes, id: id)) } catch {
          return .failure(error)
        }
      }
      group.addTask { [time] in
        do { try await time.sleep(until: deadline) } catch { return nil }
        return .failure(.timedOut)
      }
      var outcome: Outcome?
      while outcome == nil, let finished = await group.next() { outcome = finished }
      group.cancelAll()
      return outcome ?? .failure(.cancelled)
    }.get()
  }

  /// The next frame's messages that are not answers to our calls; empty for a frame of answers or of nothing we read.
  ///
  /// - Throws: `NetworkError`; `.protocolViolation` where the frame is no JSON-RPC. Pending calls have failed then.
  package func receive() async throws(NetworkError) -> [RPCMessage] {
    let messages: [RPCMessage]
    do throws(NetworkError) {
      let frame = try await connection.receive()
      do throws(JSONError) { messages = try RPCMessage.decode(frame) } catch {
        throw NetworkError(.protocolViolation, "Moonraker sent nonsense: \(error)")
      }
    } catch {
      close(because: error.message)
      throw error
    }
    return messages.filter { message in
      guard case .response(let id, let outcome) = message else { return true }
      settle(id, outcome)
      return false
    }
  }

  /// Answers somebody's request.
  package func answer(id: JSONValue, _ result: JSONValue) async {
    await send(["jsonrpc": "2.0", "id": id, "result": result])
  }

  /// Answers somebody's request with an error.
  package func refuse(id: JSONValue, code: Int64, message: String) async {
    await send([
      "jsonrpc": "2.0", "id": id,
      "error": ["code": .integer(code), "message": .string(message)],
    ])
  }

  private func send(_ answer: JSONValue) async {
    // Where this fails the connection is going, which the reader learns.
    try? await connection.send(answer.serialized())
  }

  /// Sends a ping and waits for its answer; returns at once on a connection without pings.
  package func ping(timeout: Duration) async throws(NetworkError) {
    try await connection.ping(timeout: timeout)
  }

  /// Why the connection ended, the first reason that was given; nil while it lives.
  package var end: String? { state.withLock { $0.end } }

  /// Closes the connection and fails all pending calls; idempotent.
  package func close(because reason: String) {
    let ids = state.withLock { state in
      if state.end == nil { state.end = reason }
      return Array(state.pending.keys)
    }
    for id in ids { settle(id, .failure(.connectionLost(reason))) }
    connection.close()
  }

  /// Sends one request and waits for the answer with its id.
  private func exchange(_ bytes: [UInt8], id: Int64) async throws(RPCFailure) -> JSONValue {
    // The place is reserved before anything is sent: the answer may be faster than the return of send().
    let end = state.withLock { state in
      if state.end == nil { state.pending[id] = .sent }
      return state.end
    }
    if let end { throw .notSent(end) }
    defer { _ = state.withLock { $0.pending.removeValue(forKey: id) } }
    do throws(NetworkError) { try await connection.send(bytes) } catch {
      switch error.kind {
      case .cancelled: throw .cancelled
      // Refused before it was queued.
      case .tooLarge, .other: throw .notSent(error.message)
      default: throw .connectionLost(error.message)
      }
    }
    return try await answer(to: id).get()
  }

  private func answer(to id: Int64) async -> Outcome {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let outcome = state.withLock { state -> Outcome? in
          if Task.isCancelled { return .failure(.cancelled) }
          switch state.pending[id] {
          case .sent:
            state.pending[id] = .awaited(continuation)
            return nil
          case .answered(let outcome): return outcome
          case .awaited, nil: return .failure(.connectionLost(state.end ?? "unknown call"))
          }
        }
        if let outcome { continuation.resume(returning: outcome) }
      }
    } onCancel: {
      settle(id, .failure(.cancelled))
    }
  }

  /// Gives a call its outcome; an unknown or settled call is left alone.
  private func settle(_ id: Int64, _ outcome: Outcome) {
    let waiting = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
      switch state.pending[id] {
      case .sent: state.pending[id] = .answered(outcome)
      case .awaited(let continuation):
        state.pending[id] = nil
        return continuation
      case .answered, nil: break
      }
      return nil
    }
    waiting?.resume(returning: outcome)
  }
}
