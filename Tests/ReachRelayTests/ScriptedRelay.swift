import JSON
import Networking
import Platform

/// A relay that answers as a test says, and keeps what it was sent.
final class ScriptedRelay: HTTPTransport {
  /// A request that came in.
  struct Exchange: Sendable {
    var request: HTTPRequest
    /// The path of the request's URL.
    var path: String
    /// The body, where it is an object.
    var body: JSONObject

    /// The bearer token it came with.
    var token: String? {
      request.fields.first { $0.name == "Authorization" }.map { String($0.value.dropFirst(7)) }
    }
  }

  private struct State {
    var exchanges: [Exchange] = []
    var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }
  private let state = Guarded(State())
  private let answer: @Sendable (Exchange, Int) -> Result<HTTPResponse, NetworkError>?

  /// `answer` gets a request and the number of those before it; nil leaves it without an answer until it is cancelled.
  init(_ answer: @escaping @Sendable (Exchange, Int) -> Result<HTTPResponse, NetworkError>?) {
    self.answer = answer
  }

  /// What has come in so far.
  var exchanges: [Exchange] { state.withLock { $0.exchanges } }

  /// Waits until `count` requests have come in, and returns all that have.
  func exchanges(atLeast count: Int) async -> [Exchange] {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.exchanges.count >= count { return true }
        state.waiting.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
    return exchanges
  }

  func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
    let parts = URLParts(request.url)
    let exchange = Exchange(
      request: request, path: parts?.path ?? "",
      body: (try? JSONValue(parsing: request.body ?? []))?.object ?? JSONObject())
    let (number, due) = state.withLock { state in
      state.exchanges.append(exchange)
      let count = state.exchanges.count
      let due = state.waiting.filter { $0.count <= count }
      state.waiting.removeAll { $0.count <= count }
      return (count - 1, due.map(\.continuation))
    }
    let result = answer(exchange, number)
    for continuation in due { continuation.resume() }
    guard let result else {
      await untilCancelled()
      throw NetworkError(.cancelled, "cancelled")
    }
    return try result.get()
  }

  private func untilCancelled() async {
    let (never, continuation) = AsyncStream.makeStream(of: Void.self)
    for await _ in never {}
    continuation.finish()
  }
}

extension HTTPResponse {
  /// A 200 with this body.
  static func ok(_ body: JSONObject = ["success": true]) -> HTTPResponse {
    HTTPResponse(status: 200, body: JSONValue.object(body).serialized())
  }
}
