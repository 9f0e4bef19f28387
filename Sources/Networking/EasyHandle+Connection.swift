internal import CCurl
internal import Glibc

extension EasyHandle {
  /// Sets all that concerns the way to the server, the same for HTTP and WebSocket.
  ///
  /// - Returns: false when libcurl refused the URL, the proxy or the pin.
  func setUp(to target: URLParts, settings: NetworkSettings, pinnedPublicKey: String?) -> Bool {
    set(CURLOPT_NOSIGNAL, 1)
    // A transfer that ends while its name is looked up leaves the look-up's thread to itself, which
    // cleans up behind it; without this the network thread would wait for the resolver.
    set(CURLOPT_QUICK_EXIT, 1)
    set(CURLOPT_PROTOCOLS_STR, "http,https")
    set(CURLOPT_FOLLOWLOCATION, 0)
    set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    set(CURLOPT_TCP_NODELAY, 1)
    set(CURLOPT_TCP_KEEPALIVE, 1)
    set(CURLOPT_TCP_KEEPIDLE, 30)
    set(CURLOPT_TCP_KEEPINTVL, 15)
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    unsafe curl_shim_set_open(pointer, openSocket)
    setTrust(settings)
    let proxied = setProxy(settings, target)
    let pinned = pinnedPublicKey.map { set(CURLOPT_PINNEDPUBLICKEY, $0) } ?? true
    return proxied && pinned
  }

  /// The system's CAs come one by one from a folder: libcurl's default, one bundle of all, costs 0.8 MB per connection.
  private func setTrust(_ settings: NetworkSettings) {
    set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    // A replaced CA file counts for new connections after a minute at the latest.
    set(CURLOPT_CA_CACHE_TIMEOUT, 60)
    let file = settings.caFile ?? Self.environment("SSL_CERT_FILE")
    let folder = file == nil ? Self.environment("SSL_CERT_DIR") ?? Self.systemFolder : nil
    guard file != nil || folder != nil else { return }
    set(CURLOPT_CAINFO, file)
    set(CURLOPT_CAPATH, folder)
    set(CURLOPT_PROXY_CAINFO, file)
    set(CURLOPT_PROXY_CAPATH, folder)
  }

  /// Takes exactly `proxy`, whatever the environment says; nil for none.
  func setOnly(proxy: String?) -> Bool {
    set(CURLOPT_PROXY, proxy ?? "") && set(CURLOPT_NOPROXY, "")
  }

  private func setProxy(_ settings: NetworkSettings, _ target: URLParts) -> Bool {
    if target.isLoopback || settings.proxy == "" { return set(CURLOPT_PROXY, "") }
    // nil: libcurl reads the usual variables itself. NO_PROXY counts in both cases.
    guard let proxy = settings.proxy else { return true }
    return set(CURLOPT_PROXY, proxy)
  }

  /// A variable's value; nil where it is empty, too.
  static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name), let text = unsafe String(validatingCString: value) else {
      return nil
    }
    return text.isEmpty ? nil : text
  }

  /// Debian's folder of trusted CAs by hash; nil on a host without it, where libcurl's own default has to do.
  private static let systemFolder: String? = {
    let folder = "/etc/ssl/certs"
    return unsafe access(folder, R_OK | X_OK) == 0 ? folder : nil
  }()
}

/// Opens a socket that children of this process do not inherit.
func openSocket(
  _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype,
  _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
  guard let address = unsafe address?.pointee else { return curl_socket_t(-1) }
  return socket(
    address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.`protocol`)
}
