internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// Sends PrintDock's calls and sorts the answers. Nothing is repeated here.
struct CloudClient: Sendable {
  private let base: String
  private let http: any HTTPTransport
  private let time: any TimeSource

  /// A client for the cloud at `url`; trailing slashes do not count.
  init(url: String, http: any HTTPTransport, time: any TimeSource) {
    var base = url[...]
    while base.hasSuffix("/") { base.removeLast() }
    self.base = String(base)
    self.http = http
    self.time = time
  }

  /// Pairs with a one-time token; the only call without credentials.
  func register(_ body: [UInt8]) async throws -> JSONObject {
    try await post("/api/v1/connectors/register", [], body, expecting: .object)
  }

  /// Says that we are there.
  func heartbeat(_ body: [UInt8], as identity: Identity) async throws {
    let id = URLParts.escape(identity.connectorID)
    _ = try await post(
      "/api/v1/connectors/\(id)/heartbeat", identity.fields, body, expecting: .anything)
  }

  /// Brings a batch of snapshots.
  func snapshots(_ body: [UInt8], as identity: Identity) async throws {
    _ = try await post("/api/v1/snapshots/batch", identity.fields, body, expecting: .object)
  }

  /// - Throws: `CloudError`, or `CancellationError`.
  private func post(
    _ path: String, _ credentials: [HTTPField], _ body: [UInt8],
    expecting expectation: CloudAnswer.Expectation
  ) async throws -> JSONObject {
    var request = HTTPRequest(
      "POST", base + path,
      fields: [
        HTTPField("Accept", "application/json"),
        HTTPField("User-Agent", "\(Product.name)/\(Product.version)"),
        .json,
      ] + credentials,
      body: body, timeout: .seconds(5), connectTimeout: .seconds(5), answerLimit: 1 << 20)
    request.acceptsCompression = true

    let response: HTTPResponse
    do {
      response = try await http.send(request)
    } catch {
      if error.kind == .cancelled || Task.isCancelled { throw CancellationError() }
      throw CloudError(error)
    }
    return try CloudAnswer.decode(response, expecting: expectation, at: time.wallTime)
  }
}

extension Identity {
  /// The headers of every call but pairing.
  fileprivate var fields: [HTTPField] {
    [
      .bearer(secret),
      HTTPField("X-Connector-Id", connectorID),
    ]
  }
}
