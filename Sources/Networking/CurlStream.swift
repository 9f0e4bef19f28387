internal import CCurl
internal import Glibc

/// A connection that libcurl opens (name, proxy, TLS as for HTTP), for bytes of our own.
@safe final class CurlStream: ByteStream {
  private let target: URLParts
  private let settings: NetworkSettings
  private let timeout: Duration
  private var easy: EasyHandle?
  /// The connection has a cache of its own: in a common one, another transfer might weed it out as unused.
  private var share: UnsafeMutableRawPointer?
  private(set) var descriptor: Int32?

  init(target: URLParts, settings: NetworkSettings, timeout: Duration) {
    self.target = target
    self.settings = settings
    self.timeout = timeout
  }

  func connect(for activity: any Activity, on loop: NetworkLoop) throws(NetworkError) -> Bool {
    guard let easy = EasyHandle(), let share = unsafe ConnectionPool.makeShare() else {
      throw NetworkError(.other, "\(target.hostAndPort): libcurl has no handle")
    }
    self.easy = easy
    unsafe self.share = unsafe share
    unsafe easy.set(CURLOPT_SHARE, pointer: share)
    let scheme = target.isSecure ? "https" : "http"
    let url = "\(scheme)://\(target.authority)/"
    guard easy.setUp(to: target, settings: settings, pinnedPublicKey: nil),
      easy.set(CURLOPT_URL, url)
    else { throw NetworkError(.other, "\(target.hostAndPort): the connection cannot be prepared") }
    easy.set(CURLOPT_CONNECT_ONLY, 1)
    easy.set(CURLOPT_HTTPPROXYTUNNEL, 1)
    easy.set(CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(timeout.wholeMilliseconds)))
    guard loop.start(easy, of: activity) else {
      throw NetworkError(.other, "\(target.hostAndPort): the connection cannot be started")
    }
    return false
  }

  func connected(_ result: CurlResult) throws(NetworkError) {
    guard let easy else { return }
    guard result == .success else {
      throw NetworkError(
        result, of: easy, target: target, settings: settings, isUnderWay: false,
        answerHadBegun: false)
    }
    descriptor = easy.socket
    if descriptor == nil {
      throw NetworkError(.connect, "\(target.hostAndPort): the connection was lost at once")
    }
  }

  func read() -> ReadOutcome {
    guard let easy else { return .end }
    var result = CurlResult.again
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, count in
      result = unsafe CurlResult(
        curl_easy_recv(easy.pointer, buffer.baseAddress, buffer.count, &count))
      if result != .success { count = 0 }
    }
    switch result {
    case .success:
      // OpenSSL hands over one record at a time and may hold the next one.
      let isAll = !target.isSecure && bytes.count < 16_384
      return bytes.isEmpty ? .end : .bytes(bytes, isAll: isAll)
    case .again: return .again
    default: return .failed(reason(result))
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
    guard let easy else { return .failed("closed") }
    var count = 0
    let result = unsafe CurlResult(
      curl_easy_send(easy.pointer, bytes.baseAddress, bytes.count, &count))
    switch result {
    case .success: return .wrote(count)
    case .again: return .again
    default: return .failed(reason(result))
    }
  }

  func close(on loop: NetworkLoop?) {
    if let easy { loop?.remove(easy) }
    easy = nil
    descriptor = nil
    if let share = unsafe share { unsafe curl_share_cleanup(share) }
    unsafe share = nil
  }

  private func reason(_ result: CurlResult) -> String {
    unsafe String(cString: curl_easy_strerror(result.code))
  }
}
