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

  /// Pairs with a one-time token, which `body` holds; the only call without credentials.
  func register(_ body: [UInt8], token: Secret) async throws -> JSONObject {
    try await post("/api/v1/connectors/register", [], token, body, expecting: .object)
  }

  /// Says that we are there.
  func heartbeat(_ body: [UInt8], as identity: Identity) async throws {
    let id = URLParts.escape(identity.connectorID)
    _ = try await post(
      "/api/v1/connectors/\(id)/heartbeat", identity.fields, identity.secret, body,
      expecting: .anything)
  }

  /// Brings a batch of snapshots.
  func snapshots(_ body: [UInt8], as identity: Identity) async throws {
    _ = try await post(
      "/api/v1/snapshots/batch", identity.fields, identity.secret, body, expecting: .object)
  }

  /// Brings what became of a command.
  func complete(_ commandID: String, _ body: [UInt8], as identity: Identity) async throws {
    let id = URLParts.escape(commandID)
    _ = try await post(
      "/api/v1/commands/\(id)/complete", identity.fields, identity.secret, body,
      expecting: .anything)
  }

  /// So many commands an answer has at the most, as we ask.
  static let mostCommands = 20

  /// Fetches commands; whoever fetches them has to execute them, PrintDock hands out each once.
  ///
  /// - Parameters:
  ///   - limit: the most bytes of the answer.
  ///   - most: so many of its elements are kept; `count` is that of all.
  func commands(
    limit: Int, most: Int, as identity: Identity
  ) async throws -> (first: [JSONSlice], count: Int) {
    let id = URLParts.escape(identity.connectorID)
    return try await list(
      "/api/v1/connectors/\(id)/commands?limit=\(Self.mostCommands)", limit, most, identity)
  }

  /// So many requests for pictures are looked at.
  private static let mostWebcamRequests = 10

  /// Fetches the requests for pictures that are open; that changes nothing.
  func webcamRequests(as identity: Identity) async throws -> [JSONSlice] {
    let id = URLParts.escape(identity.connectorID)
    return try await list(
      "/api/v1/connectors/\(id)/webcam_requests?limit=\(Self.mostWebcamRequests)", 1 << 20,
      Self.mostWebcamRequests, identity
    ).first
  }

  /// Answers a request for a picture; an empty one says that there is none.
  func picture(
    _ bytes: [UInt8], type: String, for requestID: String, printer: Int64, as identity: Identity
  ) async throws {
    let id = URLParts.escape(requestID)
    let request = HTTPRequest(
      "PUT", "\(base)/api/v1/webcam_requests/\(id)/upload",
      fields: [
        Self.userAgent, HTTPField("Content-Type", type),
        HTTPField("X-Printer-Id", "\(printer)"),
      ] + identity.fields,
      body: bytes, timeout: .seconds(30), answerLimit: 1 << 20)
    _ = try CloudAnswer.decode(
      await send(request), expecting: .anything, at: time.wallTime, hiding: identity.secret)
  }

  private static let userAgent = HTTPField("User-Agent", "\(Product.name)/\(Product.version)")

  /// - Throws: `CloudError`, or `CancellationError`.
  private func post(
    _ path: String, _ credentials: [HTTPField], _ secret: Secret, _ body: [UInt8],
    expecting expectation: CloudAnswer.Expectation
  ) async throws -> JSONObject {
    var request = HTTPRequest(
      "POST", base + path,
      fields: [HTTPField("Accept", "application/json"), Self.userAgent, .json] + credentials,
      body: body, timeout: .seconds(5), connectTimeout: .seconds(5), answerLimit: 1 << 20)
    request.acceptsCompression = true
    return try CloudAnswer.decode(
      await send(request), expecting: expectation, at: time.wallTime, hiding: secret)
  }

  /// - Throws: `CloudError`, or `CancellationError`.
  private func list(
    _ path: String, _ limit: Int, _ most: Int, _ identity: Identity
  ) async throws -> (first: [JSONSlice], count: Int) {
    var request = HTTPRequest(
      "GET", base + path,
      fields: [HTTPField("Accept", "application/json"), Self.userAgent] + identity.fields,
      timeout: .seconds(5), connectTimeout: .seconds(5), answerLimit: limit)
    request.acceptsCompression = true
    // A large answer takes its time; what it brings is lost when it is cut off.
    if limit > 1 << 20 { request.stallTimeout = .seconds(5) }
    do {
      return try CloudAnswer.list(
        await send(request), most: most, at: time.wallTime, hiding: identity.secret)
    } catch let error as CloudError where error.isTooLarge {
      throw CloudError.tooLarge(limit: limit)
    }
  }

  /// - Throws: `CloudError`, or `CancellationError`.
  private func send(_ request: HTTPRequest) async throws -> HTTPResponse {
    do {
      return try await http.send(request)
    } catch {
      if error.kind == .cancelled || Task.isCancelled { throw CancellationError() }
      throw CloudError(error)
    }
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
