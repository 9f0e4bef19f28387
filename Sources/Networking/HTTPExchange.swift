internal import CCurl
internal import Platform
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
  private var files: ExchangeFiles
  private var continuation: CheckedContinuation<Result<HTTPResponse, NetworkError>, Never>?
  private let isAbandoned = Atomic(false)

  private var easy: EasyHandle?
  private var headerBytes = 0
  private var headerHasEnded = false
  private var body: [UInt8] = []
  /// From so many bytes on a body is large.
  private static let large = 65_536
  private var isLarge = false
  private var writtenBytes: Int64 = 0
  /// What of the answer has been handed on piece by piece.
  private var handedOn = 0
  private var isTooLarge = false
  private var diskFailure: PlatformError?
  /// The request's own judgement: the rest of the answer is not wanted.
  private var hasEnough = false
  /// The request has been handed to a connection. libcurl would repeat it on another one if a kept
  /// connection breaks before an answer; nobody knows then whether the first one was obeyed.
  private var isUnderWay = false
  private var wouldBeRepeated = false
  /// Whether the addresses of connections count, and are the server's: not where a proxy is in between.
  private var judgesAddresses = false
  private var wasForbidden = false
  /// The sockets that were opened for it.
  private var sockets: [Int32] = []
  private var stall: StallWatch?

  init(
    _ request: HTTPRequest, target: URLParts, files: ExchangeFiles, settings: NetworkSettings,
    pinnedPublicKey: String?, pool: ConnectionPool
  ) {
    self.request = request
    self.target = target
    self.files = files
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
      var response = HTTPResponse(
        status: easy.number(CURLINFO_RESPONSE_CODE), fields: easy.answerFields, body: body)
      response.writtenBytes = writtenBytes
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
    files = ExchangeFiles()
    stall = nil
    loop?.forget(self)
    continuation?.resume(returning: result)
    continuation = nil
  }

  // MARK: The request

  private func prepare(_ easy: EasyHandle) -> Bool {
    guard easy.setUp(to: target, settings: settings, pinnedPublicKey: pinnedPublicKey),
      setWay(easy), easy.set(CURLOPT_URL, request.url), setMethod(easy),
      easy.setFields(fieldLines())
    else { return false }
    if request.acceptsCompression { easy.set(CURLOPT_ACCEPT_ENCODING, "gzip") }
    if request.stallTimeout == nil {
      easy.set(CURLOPT_TIMEOUT_MS, max(1, Int(request.timeout.wholeMilliseconds)))
    }
    easy.set(CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(request.connectTimeout.wholeMilliseconds)))
    var limit = request.answerLimit
    // Of a file nothing is repeated, so no kept connection that may be about to break; and its socket is known.
    if files.body != nil || files.answer != nil { easy.set(CURLOPT_FRESH_CONNECT, 1) }
    if files.answer != nil {
      limit = max(limit, Int(clamping: request.fileLimit))
      easy.set(CURLOPT_BUFFERSIZE, 64 << 10)
    }
    easy.set(CURLOPT_MAXFILESIZE_LARGE, offset: max(1, limit))
    setCallbacks(easy)
    return true
  }

  /// Where the connection goes: directly, by a proxy, or to a Unix socket.
  private func setWay(_ easy: EasyHandle) -> Bool {
    if let path = request.unixSocket {
      return easy.setOnly(proxy: nil) && easy.set(CURLOPT_UNIX_SOCKET_PATH, path)
    }
    guard request.addresses.judges(host: target.host) else { return true }
    let proxy = ProxyChoice.proxy(for: target, settings)
    judgesAddresses = proxy == nil
    return easy.setOnly(proxy: proxy)
  }

  private func setCallbacks(_ easy: EasyHandle) {
    let this = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe easy.set(CURLOPT_HEADERFUNCTION, takeHeaderLine, context: CURLOPT_HEADERDATA, this)
    unsafe easy.set(CURLOPT_WRITEFUNCTION, takeBodyBytes, context: CURLOPT_WRITEDATA, this)
    unsafe curl_shim_set_before(easy.pointer, beforeRequest)
    unsafe easy.set(CURLOPT_PREREQDATA, pointer: this)
    unsafe curl_shim_set_open(easy.pointer, openSocketOnce)
    unsafe easy.set(CURLOPT_OPENSOCKETDATA, pointer: this)
    guard files.body != nil else { return }
    unsafe easy.set(CURLOPT_READFUNCTION, giveBodyBytes, context: CURLOPT_READDATA, this)
    unsafe curl_shim_set_seek(easy.pointer, refuseToSeek)
  }

  private func setMethod(_ easy: EasyHandle) -> Bool {
    if let body = files.body {
      easy.set(CURLOPT_UPLOAD, 1)
      easy.set(CURLOPT_INFILESIZE_LARGE, offset: Int(clamping: body.size))
      return easy.set(CURLOPT_CUSTOMREQUEST, request.method)
    }
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
    stall?.moved()
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
    stall?.moved()
    if files.answer != nil || request.takesPiece != nil, isAccepted {
      if let file = files.answer { return unsafe write(bytes, to: file) }
      if let takesPiece = request.takesPiece { return unsafe hand(bytes, to: takesPiece) }
    }
    guard bytes.count <= request.answerLimit - body.count else {
      isTooLarge = true
      return 0
    }
    if !isLarge && body.count + bytes.count > Self.large { makeRoom() }
    unsafe body.append(contentsOf: bytes)
    hasEnough = request.endsAnswer?(body) ?? false
    return hasEnough ? 0 : bytes.count
  }

  /// Whether the answer's status is one of 2xx.
  private var isAccepted: Bool {
    easy.map { (200...299).contains($0.number(CURLINFO_RESPONSE_CODE)) } ?? false
  }

  private func hand(_ bytes: UnsafeRawBufferPointer, to takesPiece: ([UInt8]) -> Bool) -> Int {
    guard bytes.count <= request.answerLimit - handedOn else {
      isTooLarge = true
      return 0
    }
    handedOn += bytes.count
    hasEnough = unsafe !takesPiece(Array(bytes))
    return hasEnough ? 0 : bytes.count
  }

  /// Makes room for all that has been announced: an array that grows by doubling holds a large body twice.
  private func makeRoom() {
    isLarge = true
    let field = easy?.answerFields.last { $0.name.lowercased() == "content-length" }
    guard let field, let length = Int(field.value), length > 0 else { return }
    body.reserveCapacity(min(length, request.answerLimit))
  }

  /// How long the body is to be, where the server says so.
  private lazy var announcedBytes: Int64? =
    easy?.answerFields.last { $0.name.lowercased() == "content-length" }.flatMap { Int64($0.value) }

  private func write(_ bytes: UnsafeRawBufferPointer, to file: ByteFile) -> Int {
    guard Int64(bytes.count) <= request.fileLimit - writtenBytes else {
      isTooLarge = true
      return 0
    }
    do throws(PlatformError) {
      try unsafe file.write(bytes)
      writtenBytes += Int64(bytes.count)
      request.onFileProgress?(writtenBytes, announcedBytes)
      return bytes.count
    } catch {
      diskFailure = error
      return 0
    }
  }

  // MARK: The way to the server

  /// The next bytes of the body; nil when its file fails.
  fileprivate func giveBody(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    stall?.moved()
    do throws(PlatformError) {
      return try unsafe files.body?.read(into: buffer)
    } catch {
      diskFailure = error
      return nil
    }
  }

  /// A connection is there, or is wanted, for the request; false when the request had left on another one.
  fileprivate func mayProceed(requestLeaves: Bool) -> Bool {
    if isUnderWay { wouldBeRepeated = true }
    if requestLeaves {
      isUnderWay = true
      stall = request.stallTimeout.map { StallWatch(limit: $0, sockets: sockets) }
    }
    return !wouldBeRepeated
  }

  /// Whether a socket may be opened to `address`; nil: one that is not of the Internet.
  fileprivate func mayConnect(to address: IPAddress?) -> Bool {
    if judgesAddresses, !(address?.isPublic ?? false) {
      wasForbidden = true
      return false
    }
    return mayProceed(requestLeaves: false)
  }

  fileprivate func opened(_ socket: Int32) { sockets.append(socket) }

  var deadline: ContinuousClock.Instant? { stall?.nextLook }

  func deadlinePassed(now: ContinuousClock.Instant, on loop: NetworkLoop) {
    guard stall?.isOver(now: now) == true, let limit = request.stallTimeout else { return }
    let seconds = (Int(limit.wholeMilliseconds) + 999) / 1_000
    finish(.failure(fault(.timeout, "nothing has moved for \(seconds) s")), on: loop)
  }

  // MARK: Failures

  private func failure(_ result: CurlResult, _ easy: EasyHandle) -> NetworkError {
    if let diskFailure {
      return ExchangeFiles.failure(diskFailure, target, isUnderWay: isUnderWay)
    }
    if wasForbidden, sockets.isEmpty { return .forbidden(target) }
    if wouldBeRepeated || result.code == CURLE_SEND_FAIL_REWIND {
      return fault(.connect, "the connection broke before an answer")
    }
    // "Out of memory" is how libcurl refuses a single line of more than 100 kB.
    let isHeaderTooLarge =
      headerBytes > Self.headerLimit
      || isUnderWay && !headerHasEnded && result.code == CURLE_OUT_OF_MEMORY
    if isTooLarge || isHeaderTooLarge || result.code == CURLE_FILESIZE_EXCEEDED {
      return isHeaderTooLarge
        ? fault(.tooLarge, "the answer's header is larger than \(Self.headerLimit) bytes")
        : fault(.tooLarge, "the answer is larger than \(bodyLimit(easy)) bytes")
    }
    return NetworkError(
      result, of: easy, target: target, settings: settings, isUnderWay: isUnderWay,
      answerHadBegun: headerBytes > 0)
  }

  private func bodyLimit(_ easy: EasyHandle) -> Int64 {
    let isForFile =
      files.answer != nil && (200...299).contains(easy.number(CURLINFO_RESPONSE_CODE))
    return isForFile ? request.fileLimit : Int64(request.answerLimit)
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

private func giveBodyBytes(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
  _ context: UnsafeMutableRawPointer?
) -> Int {
  let abort = Int(CURL_READFUNC_ABORT)
  guard let context = unsafe context else { return abort }
  return unsafe Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
    .giveBody(into: UnsafeMutableRawBufferPointer(start: bytes, count: count)) ?? abort
}

/// A body is sent once: whatever would send it again fails.
private func refuseToSeek(
  _ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32
) -> Int32 { CURL_SEEKFUNC_FAIL }

private func openSocketOnce(
  _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype,
  _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
  guard let context = unsafe context, let address = unsafe address else { return -1 }
  let exchange = unsafe Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
  guard unsafe exchange.mayConnect(to: IPAddress(address)) else { return -1 }
  let socket = unsafe openSocket(nil, purpose, address)
  if socket >= 0 { exchange.opened(socket) }
  return socket
}

extension IPAddress {
  /// The address that libcurl is about to connect to; the memory behind `pointer` is as long as its family needs.
  fileprivate init?(_ pointer: UnsafeMutablePointer<curl_sockaddr>) {
    guard let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) else { return nil }
    let start = unsafe UnsafeRawPointer(pointer).advanced(by: offset)
    let bytes = unsafe UnsafeRawBufferPointer(
      start: start, count: Int(pointer.pointee.addrlen))
    unsafe self.init(family: pointer.pointee.family, bytes)
  }
}
