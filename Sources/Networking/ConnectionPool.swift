internal import CCurl

/// The keep-alive connections and TLS sessions of one client.
///
/// They are kept while the client is in use, and closed when it has not been for a while.
@safe final class ConnectionPool: Activity, @unchecked Sendable {
  // @unchecked: after it was handed over, only the network thread touches it.
  private let keepAlive: Duration
  private var share: UnsafeMutableRawPointer?
  private var users = 0
  private var isAbandoned = false
  private(set) var deadline: ContinuousClock.Instant?

  /// A pool that closes its connections after `keepAlive` without a request.
  init(keepAlive: Duration) { self.keepAlive = keepAlive }

  func begin(on loop: NetworkLoop) {}

  /// Lets `easy` use the pool's connections until `release`.
  func lend(to easy: EasyHandle, on loop: NetworkLoop) {
    if unsafe share == nil {
      unsafe share = unsafe Self.makeShare()
      loop.keep(self)
    }
    users += 1
    deadline = nil
    unsafe easy.set(CURLOPT_SHARE, pointer: share)
    easy.set(CURLOPT_MAXAGE_CONN, max(1, Int(keepAlive.wholeMilliseconds / 1_000)))
  }

  /// A transfer that had been lent to has ended, and its handle is gone.
  func release(on loop: NetworkLoop?) {
    users -= 1
    guard users == 0 else { return }
    if isAbandoned { close(on: loop) } else { deadline = .now.advanced(by: keepAlive) }
  }

  func deadlinePassed(now: ContinuousClock.Instant, on loop: NetworkLoop) { close(on: loop) }

  func end(with error: NetworkError, on loop: NetworkLoop?) {
    isAbandoned = true
    if users == 0 { close(on: loop) }
  }

  private func close(on loop: NetworkLoop?) {
    loop?.forget(self)
    deadline = nil
    if let share = unsafe share { unsafe curl_share_cleanup(share) }
    unsafe share = nil
  }

  /// A set of connections and TLS sessions of its own; no locks, since one thread uses it.
  static func makeShare() -> UnsafeMutableRawPointer? {
    guard let share = unsafe curl_share_init() else { return nil }
    unsafe curl_shim_share_set_long(share, CURLSHOPT_SHARE, Int(CURL_LOCK_DATA_CONNECT.rawValue))
    unsafe curl_shim_share_set_long(
      share, CURLSHOPT_SHARE, Int(CURL_LOCK_DATA_SSL_SESSION.rawValue))
    return unsafe share
  }
}
