internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// Makes the calls to one hub, each once but for a kept connection that was closed meanwhile.
struct HubClient: Sendable {
  /// What a call brought.
  struct Reply: Sendable {
    var answer: HubAnswer
    /// The hub's clock, where it says.
    var date: WallTime?
    /// Whether PHP's own warnings stood before the answer.
    var hasWarnings = false
  }
  static let userAgent = "\(Product.name)/\(Product.version)"
  private static let mostRedirects = 3

  let token: Secret
  let timeout: Duration
  let context: BackendContext
  /// Origins that have sent us to https in this run, each with the one that it has named.
  private let upgraded = Guarded<[String: String]>([:])

  init(token: Secret, timeout: Duration, context: BackendContext) {
    self.token = token
    self.timeout = timeout
    self.context = context
  }

  /// Sends an update.
  ///
  /// - Throws: `CancellationError`.
  func update(_ body: JSONObject, at address: HubAddress) async throws -> Reply {
    try await post(address.update, .object(body))
  }

  /// Fetches the commands that wait, which the hub forgets by that; throws as ``update(_:at:)``.
  func commands(at address: HubAddress) async throws -> Reply {
    var items = [(name: "token", value: token.revealed)]
    if address.generation == .v1 { items.insert(("action", "get_commands"), at: 0) }
    return try await get(HubAddress.query(address.commands, items), limit: 2 << 20)
  }

  /// Reads what the hub's page shows of this printer (v1); throws as ``update(_:at:)``.
  func card(at address: HubAddress) async throws -> Reply {
    try await get(
      HubAddress.query(
        address.update, [("action", "get_printer_by_token"), ("token", token.revealed)]))
  }

  /// Lists the files of this printer; throws as ``update(_:at:)``.
  func files(at address: HubAddress) async throws -> Reply {
    try await get(
      HubAddress.query(
        address.files, [("action", "list_files"), ("printer_token", token.revealed)]),
      limit: 8 << 20)
  }

  /// Tells the hub that a file has been fetched; throws as ``update(_:at:)``.
  func markDownloaded(_ file: String, at address: HubAddress) async throws -> Reply {
    var body: JSONObject = ["file": .string(file), "printer_token": .string(token.revealed)]
    guard address.generation == .v2 else {
      return try await post(
        HubAddress.query(address.files, [("action", "mark_downloaded")]), .object(body))
    }
    body["action"] = "mark_downloaded"
    return try await post(address.files, .object(body))
  }

  /// Uploads a picture; throws as ``update(_:at:)``.
  func upload(picture: [UInt8], to url: String) async throws -> Reply {
    let form = PictureForm(token: token, picture: picture, boundary: boundary())
    return try await call(
      "POST", url, [HTTPField("Content-Type", form.contentType)], form.bytes,
      limit: 1 << 20)
  }

  /// Asks a script for nothing; throws as ``update(_:at:)``.
  func look(_ url: String) async throws -> Reply { try await get(url) }

  // MARK: One call

  private func get(_ url: String, limit: Int = 1 << 20) async throws -> Reply {
    try await call("GET", url, [], nil, limit: limit)
  }

  private func post(_ url: String, _ body: JSONValue) async throws -> Reply {
    try await call("POST", url, [.json], body.serialized(), limit: 1 << 20)
  }

  private func boundary() -> String {
    let parts = (0..<2).map { _ in String(UInt64(context.random() * 9e15), radix: 36) }
    return "printer-uplink-\(parts.joined())"
  }

  private func call(
    _ method: String, _ url: String, _ fields: [HTTPField], _ body: [UInt8]?, limit: Int
  ) async throws -> Reply {
    var url = secure(url)
    var redirects = 0
    while true {
      var request = HTTPRequest(
        method, url, fields: [HTTPField("User-Agent", Self.userAgent)] + fields, body: body,
        timeout: timeout, connectTimeout: timeout, answerLimit: limit)
      request.acceptsCompression = false
      let response: HTTPResponse
      do throws(NetworkError) {
        response = try await send(request)
      } catch {
        try Task.checkCancellation()
        return Reply(answer: .unreachable(error.kind, error.message))
      }
      guard (300..<400).contains(response.status) else { return reply(response) }
      guard redirects < Self.mostRedirects, let next = target(of: response, method, url) else {
        return Reply(answer: .redirected(to: place(response, from: url)))
      }
      redirects += 1
      url = next
    }
  }

  /// Sends a request; once more where the connection had been kept and was closed before a byte of the answer.
  private func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
    do throws(NetworkError) {
      return try await context.http.send(request)
    } catch {
      guard error.kind == .connect, error.requestMayHaveArrived, !Task.isCancelled else {
        throw error
      }
      return try await context.http.send(request)
    }
  }

  private func reply(_ response: HTTPResponse) -> Reply {
    let document = HubDocument(response.body)
    return Reply(
      answer: HubAnswer(
        response, at: context.time.wallTime, document: document, hiding: token),
      date: response[field: "Date"].flatMap { WallTime(httpDate: $0) },
      hasWarnings: document.hasWarnings)
  }

  // MARK: Redirects

  /// Where a redirect leads; nil where it is not followed.
  private func target(of response: HTTPResponse, _ method: String, _ url: String) -> String? {
    guard let location = response[field: "Location"],
      let resolved = URLParts.resolve(location, from: url), let old = URLParts(url),
      let new = URLParts(resolved), new.host == old.host, !new.hasCredentials,
      new.scheme == old.scheme || new.scheme == "https",
      [301, 302, 303, 307, 308].contains(response.status)
    else { return nil }
    let isUpgrade = old.scheme == "http" && new.scheme == "https" && new.path == old.path
    if method == "POST", [301, 302, 303].contains(response.status) {
      // Any other would make a GET of it, which the hub refuses.
      guard isUpgrade else { return nil }
    } else if new.origin != old.origin, !isUpgrade {
      return nil
    }
    if isUpgrade, upgraded.withLock({ $0.updateValue(new.origin, forKey: old.origin) }) == nil {
      context.log(.warning, "\(old.host) wants https: set server_url to https")
    }
    return resolved
  }

  /// The address with https where the hub has asked for it.
  private func secure(_ url: String) -> String {
    guard let parts = URLParts(url), let origin = upgraded.withLock({ $0[parts.origin] }) else {
      return url
    }
    return "\(origin)\(parts.path)\(parts.query.map { "?\($0)" } ?? "")"
  }

  private func place(_ response: HTTPResponse, from url: String) -> String {
    let target = response[field: "Location"].flatMap { URLParts.resolve($0, from: url) }
    return target.flatMap { URLParts($0) }.map { ($0.origin + $0.path).hiding(token).oneLine }
      ?? "an unnamed place"
  }
}
