/// Which proxy a connection takes, decided here rather than by libcurl, which does not tell: where addresses are
/// judged, it must be certain whose address is seen.
package enum ProxyChoice {
  /// The proxy for `target`; nil for none.
  package static func proxy(for target: URLParts, _ settings: NetworkSettings) -> String? {
    if target.isLoopback { return nil }
    let scheme = target.isSecure ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy"]
    let names = scheme + ["all_proxy", "ALL_PROXY"]
    let found = settings.proxy ?? names.lazy.compactMap(EasyHandle.environment).first
    guard let found, !found.isEmpty else { return nil }
    let exceptions = ["no_proxy", "NO_PROXY"].lazy.compactMap(EasyHandle.environment).first
    return isException(target.host, exceptions ?? "") ? nil : found
  }

  /// Whether `list` (names with all below them, or `*`) takes `host` out.
  static func isException(_ host: String, _ list: String) -> Bool {
    list.lowercased().split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" }).contains {
      if $0 == "*" { return true }
      let name = $0.drop { $0 == "." }
      return !name.isEmpty && (host == name || host.hasSuffix(".\(name)"))
    }
  }
}
