internal import CCurl

/// libcurl's result code of a transfer.
struct CurlResult: Equatable {
  var code: CURLcode

  init(_ code: CURLcode) { self.code = code }

  static func == (left: CurlResult, right: CurlResult) -> Bool { left.code == right.code }

  static let success = CurlResult(CURLE_OK)
  static let again = CurlResult(CURLE_AGAIN)
}
