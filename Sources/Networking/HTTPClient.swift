/// Sends requests over keep-alive connections of its own on the network thread.
final class HTTPClient: HTTPTransport {
  private let thread: NetworkThread
  private let pool: ConnectionPool
  /// Of connections whose address was judged: one that was opened without may lead anywhere.
  private let judgedPool: ConnectionPool
  private let settings: NetworkSettings
  private let pinnedPublicKey: String?
  private let onExchange: (@Sendable (ExchangeReport) -> Void)?

  init(
    thread: NetworkThread, keepAlive: Duration, settings: NetworkSettings,
    pinnedPublicKey: String?, onExchange: (@Sendable (ExchangeReport) -> Void)?
  ) {
    self.thread = thread
    self.pool = ConnectionPool(keepAlive: keepAlive)
    self.judgedPool = ConnectionPool(keepAlive: keepAlive)
    self.settings = settings
    self.pinnedPublicKey = pinnedPublicKey
    self.onExchange = onExchange
  }

  deinit {
    thread.mailbox.post(.end(pool, .cancelled))
    thread.mailbox.post(.end(judgedPool, .cancelled))
  }

  func send(_ request: HTTPRequest) async throws(NetworkError) -> HTTPResponse {
    guard let target = URLParts(request.url), target.scheme == "http" || target.scheme == "https"
    else { throw NetworkError(.badURL, "the address is no http or https URL") }
    try request.check(target, settings)
    let started = ContinuousClock.now
    let files = try await ExchangeFiles.open(for: request, target)
    let result = await exchange(request, target, files)
    let isKept = if case .success(let response) = result { response.isSuccess } else { false }
    if !isKept { await files.discard() }
    report(result, of: request, target, since: started)
    return try result.get()
  }

  private func exchange(
    _ request: HTTPRequest, _ target: URLParts, _ files: ExchangeFiles
  ) async -> Result<HTTPResponse, NetworkError> {
    let exchange = HTTPExchange(
      request, target: target, files: files, settings: settings, pinnedPublicKey: pinnedPublicKey,
      pool: request.addresses.judges(host: target.host) ? judgedPool : pool)
    let mailbox = thread.mailbox
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        exchange.expect(continuation)
        if !mailbox.post(.begin(exchange)) { exchange.end(with: .cancelled, on: nil) }
      }
    } onCancel: {
      exchange.abandon()
      mailbox.post(.end(exchange, .cancelled))
    }
  }

  private func report(
    _ result: Result<HTTPResponse, NetworkError>, of request: HTTPRequest, _ target: URLParts,
    since started: ContinuousClock.Instant
  ) {
    guard let onExchange else { return }
    var report = ExchangeReport(
      method: request.method, host: target.hostAndPort, path: target.path,
      milliseconds: Int(started.duration(to: .now).wholeMilliseconds))
    switch result {
    case .success(let response): report.status = response.status
    case .failure(let error): report.failure = error.kind
    }
    onExchange(report)
  }
}

extension HTTPRequest {
  /// Fields that the client writes itself: a second one would contradict it.
  private static let clientsOwn: Set<String> = [
    "host", "content-length", "transfer-encoding", "connection", "expect",
  ]

  /// Refuses what would change the shape of the request on the wire, or goes where it must not.
  fileprivate func check(_ target: URLParts, _ settings: NetworkSettings) throws(NetworkError) {
    guard body == nil || bodyFile == nil else {
      throw NetworkError(.other, "the request has two bodies")
    }
    guard answerFile == nil || takesPiece == nil else {
      throw NetworkError(.other, "the request's answer has two ways to go")
    }
    let isJudged = addresses.judges(host: target.host)
    let isProxied = isJudged && ProxyChoice.proxy(for: target, settings) != nil
    guard addresses.allows(host: target.host, proxied: isProxied), !isJudged || unixSocket == nil
    else { throw .forbidden(target) }
    if let unixSocket, !UnixStream.isUsable(path: unixSocket) {
      throw NetworkError(.badURL, "socket \(unixSocket): the path is empty or too long")
    }
    guard !method.isEmpty, method.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
      throw NetworkError(.other, "the request's method is not a word")
    }
    for field in fields {
      try field.check()
      if Self.clientsOwn.contains(field.name.lowercased()) {
        throw NetworkError(.other, "the header field \(field.name) is set by the client itself")
      }
    }
  }
}

extension HTTPField {
  /// Refuses names that are no token and values with control characters: they would smuggle in lines.
  func check() throws(NetworkError) {
    let separators = Array("\"(),/:;<=>?@[\\]{}".utf8)
    guard !name.isEmpty,
      name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && !separators.contains($0) })
    else { throw NetworkError(.other, "a header field's name is not a token") }
    guard value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else {
      throw NetworkError(.other, "the header field \(name) contains a control character")
    }
  }
}
