internal import CCurl
internal import Synchronization

/// One request and its answer on the network thread.
@safe final class HTTPExchange: Activity, @unchecked Sendable {
  // @unchecked: after it was handed over, only the network thread touches it (but for `isAbandoned`).

  /// The most bytes of an answer's header.
  static let headerLimit = 64 << 10

  private let target: URLParts
  private let settings: NetworkSettings
  private let pinnedPublicKey: String?
  private let pool: ConnectionPool
  private var request: HTTPRequest
  private var continuation: CheckedContinuation<Result<HTTPResponse, NetworkError>, Never>?
  private let isAbandoned = Atomic(false)

  private var easy: EasyHandle?
  private var headerBytes = 0
  private var headerHasEnded = false
  private var body: [UInt8] = []
  private var isTooLarge = false
  /// The request's own judgement: the rest of the answer is not wanted.
  private var hasEnough = false
  /// The request has been handed to a connection. libcurl would repeat it on another one if a kept
  /// connection breaks before an answer; nobody knows then whether the first one was obeyed.
  private var isUnderWay = false
  private var wouldBeRepeated = false

  init(
    _ request: HTTPRequest, target: URLParts, settings: NetworkSettings, pinnedPublicKey: String?,
    pool: ConnectionPool
  ) {
    self.request = request
    self.target = target
    self.settings = settings
    self.pinnedPublicKey = pinnedPublicKey
    self.pool = pool
  }

  /// Takes what waits for the result; before the exchange is handed over.
  func expect(_ continuation: CheckedContinuation<Result<HTTPResponse, NetworkError>, Never>) {
    self.continuation = continuation
  }

  /// Keeps an exchange that has not begun from beginning; from any thread.
  func abandon() { isAbandoned.store(true, ordering: .releasing) }

  func begin(on loop: NetworkLoop) {
    if isAbandoned.load(ordering: .acquiring) { return end(with: .cancelled, on: loop) }
    guard let easy = EasyHandle(), prepare(easy) else {
      return finish(.failure(fault(.other, "the request cannot be prepared")), on: loop)
    }
    self.easy = easy
    pool.lend(to: easy, on: loop)
    request.body = nil
    if !loop.start(easy, of: self) {
      finish(.failure(fault(.other, "the request cannot be started")), on: loop)
    }
  }

  func end(with error: NetworkError, on loop: NetworkLoop?) {
    var error = error
    error.requestMayHaveArrived = isUnderWay
    finish(.failure(error), on: loop)
  }

  func transferEnded(_ result: CurlResult, on loop: NetworkLoop) {
    guard let easy else { return }
    // libcurl takes the end of the stream for the end of the header.
    if result == .success, !headerHasEnded {
      finish(.failure(fault(.protocolViolation, "the answer broke off")), on: loop)
    } else if result == .success || hasEnough {
      let response = HTTPResponse(
        status: easy.number(CURLINFO_RESPONSE_CODE), fields: easy.answerFields, body: body)
      finish(.success(response), on: loop)
    } else {
      finish(.failure(failure(result, easy)), on: loop)
    }
  }

  private func finish(_ result: Result<HTTPResponse, NetworkError>, on loop: NetworkLoop?) {
    if let easy {
      loop?.remove(easy)
      self.easy = nil
      pool.release(on: loop)
    }
    loop?.forget(self)
    continuation?.resume(returning: result)
    continuation = nil
  }

  // MARK: The request

  private func prepare(_ easy: EasyHandle) -> Bool {
    guard easy.setUp(to: target, settings: settings, pinnedPublicKey: pinnedPublicKey),
      easy.set(CURLOPT_URL, request.url), setMethod(easy), easy.setFields(fieldLines())
    else { return false }
    if request.acceptsCompression { easy.set(CURLOPT_ACCEPT_ENCODING, "gzip") }
    easy.set(CURLOPT_TIMEOUT_MS, max(1, Int(request.timeout.wholeMilliseconds)))
    easy.set(CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(request.connectTimeout.wholeMilliseconds)))
    easy.set(CURLOPT_MAXFILESIZE_LARGE, offset: max(1, request.answerLimit))
    let this = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe easy.set(CURLOPT_HEADERFUNCTION, takeHeaderLine, context: CURLOPT_HEADERDATA, this)
    unsafe easy.set(CURLOPT_WRITEFUNCTION, takeBodyBytes, context: CURLOPT_WRITEDATA, this)
    unsafe curl_shim_set_before(easy.pointer, beforeRequest)
    unsafe easy.set(CURLOPT_PREREQDATA, pointer: this)
    unsafe curl_shim_set_open(easy.pointer, openSocketOnce)
    unsafe easy.set(CURLOPT_OPENSOCKETDATA, pointer: this)
    return true
  }

  private func setMethod(_ easy: EasyHandle) -> Bool {
    if let body = request.body {
      easy.setBody(body)
      return request.method == "POST" || easy.set(CURLOPT_CUSTOMREQUEST, request.method)
    }
    switch request.method {
    case "GET":
      easy.set(CURLOPT_HTTPGET, 1)
      return true
    case "HEAD":
      easy.set(CURLOPT_NOBODY, 1)
      return true
    default: return easy.set(CURLOPT_CUSTOMREQUEST, request.method)
    }
  }

  private func fieldLines() -> [String] {
    let names = Set(request.fields.map { $0.name.lowercased() })
    // What libcurl would add unasked is taken away.
    let unasked = ["Accept", "Content-Type", "Expect"].filter { !names.contains($0.lowercased()) }
    return unasked.map { "\($0):" }
      + request.fields.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
  }

  // MARK: The answer

  fileprivate func takeHeader(_ line: UnsafeRawBufferPointer) -> Int {
    headerBytes += line.count
    if headerBytes > Self.headerLimit { isTooLarge = true }
    // One of several when interim answers come first, and lines of a trailer may follow.
    if unsafe line.starts(with: "HTTP/".utf8) { headerHasEnded = false }
    if unsafe line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n") {
      headerHasEnded = true
    }
    return isTooLarge ? 0 : line.count
  }

  fileprivate func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard bytes.count <= request.answerLimit - body.count else {
      isTooLarge = true
      return 0
    }
    unsafe body.append(contentsOf: bytes)
    hasEnough = request.endsAnswer?(body) ?? false
    return hasEnough ? 0 : bytes.count
  }

  /// A connection is there, or is wanted, for the request; false when the request had left on another one.
  fileprivate func mayProceed(requestLeaves: Bool) -> Bool {
    if isUnderWay { wouldBeRepeated = true }
    if requestLeaves { isUnderWay = true }
    return !wouldBeRepeated
  }

  // MARK: Failures

  private func failure(_ result: CurlResult, _ easy: EasyHandle) -> NetworkError {
    if wouldBeRepeated {
      return fault(.connect, "the connection broke before an answer")
    }
    // "Out of memory" is how libcurl refuses a single line of more than 100 kB.
    let isHeaderTooLarge =
      headerBytes > Self.headerLimit
      || isUnderWay && !headerHasEnded && result.code == CURLE_OUT_OF_MEMORY
    if isTooLarge || isHeaderTooLarge || result.code == CURLE_FILESIZE_EXCEEDED {
      return isHeaderTooLarge
        ? fault(.tooLarge, "the answer's header is larger than \(Self.headerLimit) bytes")
        : fault(.tooLarge, "the answer is larger than \(request.answerLimit) bytes")
    }
    return NetworkError(
      result, of: easy, target: target, settings: settings, isUnderWay: isUnderWay,
      answerHadBegun: headerBytes > 0)
  }

  private func fault(_ kind: NetworkError.Kind, _ what: String) -> NetworkError {
    NetworkError(kind, "\(target.hostAndPort): \(what)", requestMayHaveArrived: isUnderWay)
  }
}

private func takeHeaderLine(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
  _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let context = unsafe context else { return 0 }
  return unsafe Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
    .takeHeader(UnsafeRawBufferPointer(start: bytes, count: count))
}

private func takeBodyBytes(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
  _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let context = unsafe context else { return 0 }
  return unsafe Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
    .takeBody(UnsafeRawBufferPointer(start: bytes, count: count))
}

private func beforeRequest(
  _ context: UnsafeMutableRawPointer?, _ remote: UnsafeMutablePointer<CChar>?,
  _ local: UnsafeMutablePointer<CChar>?, _ remotePort: Int32, _ localPort: Int32
) -> Int32 {
  guard let context = unsafe context else { return CURL_PREREQFUNC_ABORT }
  let leaves = unsafe Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
    .mayProceed(requestLeaves: true)
  return leaves ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private func openSocketOnce(
  _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype,
  _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
  guard let exchange = unsafe context,
    unsafe Unmanaged<HTTPExchange>.fromOpaque(exchange).takeUnretainedValue()
      .mayProceed(requestLeaves: false)
  else { return -1 }
  return unsafe openSocket(nil, purpose, address)
}
