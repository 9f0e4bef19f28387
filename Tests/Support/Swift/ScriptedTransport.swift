package import Networking
internal import Platform

/// A far side on paper: keeps each request and answers as its script says.
package final class ScriptedTransport: HTTPTransport {
  /// What the far side does with a request; `number` counts from zero.
  package typealias Script =
    @Sendable (_ request: HTTPRequest, _ number: Int) async throws(NetworkError) -> HTTPResponse

  private struct State {
    var requests: [HTTPRequest] = []
    var script: Script
  }
  private let state: Guarded<State>

  /// A far side that follows `script`.
  package init(_ script: @escaping Script) { state = Guarded(State(script: script)) }

  /// What was sent so far, in order.
  package var requests: [HTTPRequest] { state.withLock { $0.requests } }

  /// Follows another script from now on.
  package func follow(_ script: @escaping Script) { state.withLock { $0.script = script } }

  package func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
    let (script, number) = state.withLock { state in
      state.requests.append(request)
      return (state.script, state.requests.count - 1)
    }
    if Task.isCancelled { throw NetworkError(.cancelled, "cancelled") }
    return try await script(request, number)
  }
}

extension HTTPResponse {
  /// An answer with a JSON body.
  package static func json(_ status: Int, _ text: String, _ fields: [HTTPField] = [])
    -> HTTPResponse
  {
    HTTPResponse(
      status: status, fields: [HTTPField("Content-Type", "application/json")] + fields,
      body: Array(text.utf8))
  }
}
