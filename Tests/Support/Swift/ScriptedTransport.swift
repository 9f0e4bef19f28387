package import JSON
package import Networking
internal import Platform
package import Testing

/// A far side on paper: keeps each request and answers as its script says.
package final class ScriptedTransport: HTTPTransport {
  /// What the far side does with a request; `number` counts from zero.
  package typealias Script =
    @Sendable (_ request: HTTPRequest, _ number: Int) async throws(NetworkError) -> HTTPResponse

  private struct State {
    var requests: [HTTPRequest] = []
    var script: Script
    var isAside: @Sendable (HTTPRequest) -> Bool = { _ in false }
  }
  private let state: Guarded<State>

  /// A far side that follows `script`.
  package init(_ script: @escaping Script) { state = Guarded(State(script: script)) }

  /// What was sent so far, in order.
  package var requests: [HTTPRequest] { state.withLock { $0.requests } }

  /// Waits until `count` requests were sent, and returns all that were.
  ///
  /// - Throws: when they are not sent within ten seconds.
  package func requests(
    atLeast count: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> [HTTPRequest] {
    await until({ requests.count >= count }, sourceLocation: sourceLocation)
    let sent = requests
    try #require(sent.count >= count, sourceLocation: sourceLocation)
    return sent
  }

  /// What a far side does that never answers: waits until the request is cancelled.
  package static func silence() async throws(NetworkError) -> HTTPResponse {
    do { try await forever() } catch {}
    throw NetworkError(.cancelled, "cancelled")
  }

  /// Has such requests wait for ever, and leaves them out of ``requests``: those that a test is not about.
  package func setAside(_ isMeant: @escaping @Sendable (HTTPRequest) -> Bool) {
    state.withLock { $0.isAside = isMeant }
  }

  /// Follows another script from now on.
  package func follow(_ script: @escaping Script) { state.withLock { $0.script = script } }

  package func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
    if state.withLock({ $0.isAside })(request) { return try await Self.silence() }
    let (script, number) = state.withLock { state in
      state.requests.append(request)
      return (state.script, state.requests.count - 1)
    }
    if Task.isCancelled { throw NetworkError(.cancelled, "cancelled") }
    return try await script(request, number)
  }
}

extension HTTPRequest {
  /// The path of the URL.
  package var path: String { URLParts(url)?.path ?? "" }

  /// The body; null where it is no JSON.
  package var json: JSONValue { (try? JSONValue(parsing: body ?? [])) ?? .null }

  /// The first field of that name, to the letter.
  package subscript(field name: String) -> String? { fields.first { $0.name == name }?.value }

  /// The bearer token that it carries.
  package var bearerToken: String? {
    self[field: "Authorization"].flatMap { value in
      value.hasPrefix("Bearer ") ? String(value.dropFirst(7)) : nil
    }
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
