internal import ConnectorKit
internal import Networking

/// Why a call to PrintDock failed, sorted by what follows from it.
struct CloudError: Error, Sendable, Hashable {
  /// What follows from a failure.
  enum Kind: Sendable, Hashable {
    /// 401, 403: our credentials are refused.
    case unauthorized
    /// 404.
    case unknown
    /// Another 4xx: this request is refused, and would be again.
    case rejected
    /// 408, 425, 429, 5xx: not now.
    case busy
    /// 3xx: redirects are not followed.
    case redirected
    /// A 2xx that PrintDock would not send: a captive portal, a proxy, a wrong address.
    case notPrintDock
    /// No answer.
    case unreachable
  }

  var kind: Kind
  /// The status code; nil without an answer.
  var status: Int?
  /// What is wrong, for people.
  var problem: String
  /// What the owner can do.
  var remedy: String
  /// The status with the cloud's own words: `401: Invalid or expired pairing token`.
  var words = ""
  /// How long the cloud asks us to wait.
  var retryAfter: Duration?
  /// Whether the answer was cut off because of its size.
  var isTooLarge = false

  /// What stays the same while the same thing is wrong: a change of it is logged.
  var topic: String { "\(kind) \(status ?? 0)" }
}

extension CloudError {
  /// A failure without an answer.
  init(_ error: NetworkError) {
    self.init(
      kind: .unreachable, status: nil, problem: "PrintDock cannot be reached: \(error.message)",
      remedy: error.kind.remedy(address: "cloud_url"))
    isTooLarge = error.kind == .tooLarge
  }

  /// An answer to a poll that was larger than `limit` bytes.
  static func tooLarge(limit: Int) -> CloudError {
    CloudError(
      kind: .rejected, status: nil,
      problem: "PrintDock's answer was larger than \(limit >> 20) MB and has been dropped",
      remedy: "raise max_answer_mb, or send smaller files; what was in it has to be sent again",
      isTooLarge: true)
  }
}
