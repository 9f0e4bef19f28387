internal import CCurl
internal import Glibc

extension NetworkError {
  /// The one place where libcurl's results become errors.
  ///
  /// - Parameters:
  ///   - isUnderWay: a request had left.
  ///   - answerHadBegun: bytes of an answer had come.
  init(
    _ result: CurlResult, of easy: EasyHandle, target: URLParts, settings: NetworkSettings,
    isUnderWay: Bool, answerHadBegun: Bool
  ) {
    let (kind, what) = Self.meaning(
      result.code, easy, settings, isUnderWay: isUnderWay, answerHadBegun: answerHadBegun)
    self.init(kind, "\(target.hostAndPort): \(what)", requestMayHaveArrived: isUnderWay)
  }

  private static func meaning(
    _ code: CURLcode, _ easy: EasyHandle, _ settings: NetworkSettings, isUnderWay: Bool,
    answerHadBegun: Bool
  ) -> (Kind, String) {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST: return (.nameLookup, "the host's name cannot be resolved")
    case CURLE_COULDNT_RESOLVE_PROXY: return (.nameLookup, "the proxy's name cannot be resolved")
    case CURLE_OPERATION_TIMEDOUT:
      return (.timeout, isUnderWay ? "no whole answer in time" : "no connection in time")
    case CURLE_PEER_FAILED_VERIFICATION where easy.number(CURLINFO_SSL_VERIFYRESULT) == notYetValid:
      return (
        .certificateNotYetValid,
        "the certificate is not yet valid; is this host's clock in the past?"
      )
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return (.tls, "the server's key is not the pinned one")
    case CURLE_SSL_CACERT_BADFILE:
      return (.tls, "the CA file \(settings.caFile ?? "of the system") cannot be read")
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
      let detail = easy.failureMessage
      return (.tls, detail.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : detail)
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_PARTIAL_FILE,
      CURLE_HTTP2, CURLE_BAD_CONTENT_ENCODING:
      return (.protocolViolation, broken(code))
    case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_COULDNT_CONNECT, CURLE_PROXY:
      return brokenConnection(code, easy, isUnderWay, answerHadBegun)
    case CURLE_URL_MALFORMAT: return (.badURL, "the address cannot be used")
    default: return (.other, unsafe String(cString: curl_easy_strerror(code)))
    }
  }

  private static func brokenConnection(
    _ code: CURLcode, _ easy: EasyHandle, _ isUnderWay: Bool, _ answerHadBegun: Bool
  ) -> (Kind, String) {
    if answerHadBegun { return (.protocolViolation, broken(CURLE_PARTIAL_FILE)) }
    if isUnderWay { return (.connect, "the connection broke before an answer") }
    let proxyStatus = easy.number(CURLINFO_HTTP_CONNECTCODE)
    if proxyStatus != 0, !(200...299).contains(proxyStatus) {
      return (.connect, "the proxy answered \(proxyStatus)")
    }
    let errorNumber = easy.number(CURLINFO_OS_ERRNO)
    let reason =
      errorNumber == 0
      ? unsafe String(cString: curl_easy_strerror(code))
      : unsafe String(cString: strerror(Int32(truncatingIfNeeded: errorNumber)))
    return (.connect, "cannot connect: \(reason)")
  }

  private static func broken(_ code: CURLcode) -> String {
    switch code {
    case CURLE_PARTIAL_FILE: "the answer broke off"
    case CURLE_BAD_CONTENT_ENCODING: "the answer's compression is broken"
    default: "the answer is not HTTP"
    }
  }

  /// OpenSSL's `X509_V_ERR_CERT_NOT_YET_VALID`.
  private static let notYetValid = 9
}
