internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// Sends calls to one relay.
struct RelayClient: Sendable {
  let relay: RelayAddress
  private let http: any HTTPTransport
  private let time: any TimeSource
  private let userAgent: String

  /// A client for `relay`, with the connections and the clock of `context`.
  init(relay: RelayAddress, configuration: ReachConfiguration, context: BackendContext) {
    self.relay = relay
    http = configuration.pinnedPublicKey.map(context.pinnedHTTP) ?? context.http
    time = context.time
    userAgent = Self.userAgent(configuration)
  }

  /// How this connector calls itself.
  static func userAgent(_ configuration: ReachConfiguration) -> String {
    "reach-link-agent/\(configuration.agentVersion) (\(Product.name)/\(Product.version))"
  }

  /// Posts `body` and reads the answer.
  ///
  /// - Parameters:
  ///   - token: the bearer token; nil sends none.
  ///   - code: the pairing code that `body` holds; the relay's words are shown without it, as without the token.
  /// - Throws: `CancellationError` when the task is cancelled; everything else is an answer.
  func post(
    _ path: String, _ body: JSONObject, token: Secret?, code: Secret? = nil
  ) async throws(CancellationError) -> RelayAnswer {
    try await post(
      path, body, token: token, code: code, timeout: .seconds(10), answerLimit: 1 << 16)
  }

  /// Posts `body` to a paired relay and reads the answer; as ``post(_:_:token:code:)``.
  func post(
    _ endpoint: RelayEndpoint, _ body: JSONObject, token: Secret
  ) async throws(CancellationError) -> RelayAnswer {
    try await post(
      endpoint.path, body, token: token, timeout: endpoint.timeout,
      answerLimit: endpoint.answerLimit, needsObject: endpoint == .pull)
  }

  /// Posts a picture of the camera, a JPEG; as ``post(_:_:token:code:)``.
  func post(
    picture: [UInt8], printerID: String, token: Secret
  ) async throws(CancellationError) -> RelayAnswer {
    let fields = [
      HTTPField("Content-Type", "image/jpeg"), HTTPField("Accept-Encoding", "identity"),
      HTTPField("User-Agent", userAgent), HTTPField("X-Printer-Id", printerID), .bearer(token),
    ]
    let request = HTTPRequest(
      "POST", relay.origin + "/api/reach-link/webcam-snapshot", fields: fields, body: picture,
      timeout: .seconds(15), answerLimit: 1 << 16)
    return try await answer(request, hiding: token)
  }

  private func post(
    _ path: String, _ body: JSONObject, token: Secret?, code: Secret? = nil, timeout: Duration,
    answerLimit: Int, needsObject: Bool = false
  ) async throws(CancellationError) -> RelayAnswer {
    var fields = [
      .json, HTTPField("Accept-Encoding", "identity"),
      HTTPField("User-Agent", userAgent),
    ]
    if let token { fields.append(.bearer(token)) }
    let request = HTTPRequest(
      "POST", relay.origin + path, fields: fields, body: JSONValue.object(body).serialized(),
      timeout: timeout, answerLimit: answerLimit)
    return try await answer(request, hiding: token ?? code, needsObject: needsObject)
  }

  private func answer(
    _ request: HTTPRequest, hiding secret: Secret?, needsObject: Bool = false
  ) async throws(CancellationError) -> RelayAnswer {
    do {
      return RelayAnswer(
        try await http.send(request), at: time.wallTime, hiding: secret, needsObject: needsObject)
    } catch {
      if error.kind == .cancelled { throw CancellationError() }
      return .unreachable(error.kind, error.message)
    }
  }
}
