internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// How a request to the database went. It holds none of the database's own words: those may repeat the token.
enum FirebaseAnswer: Sendable, Hashable {
  /// 2xx; null where nothing came with it.
  case accepted(JSONValue)
  /// 401.
  case unauthorised
  /// 429 or 503 with a time to wait.
  case wait(status: Int, Duration)
  /// 3xx: where it would have sent us, and the token with us.
  case redirected(host: String)
  /// Any other status.
  case refused(status: Int)
  /// 2xx with what is no JSON: a log-in page of the network.
  case unreadable
  /// No answer at all.
  case unreachable(NetworkError.Kind, String)

  /// Reads a whole answer.
  init(_ response: HTTPResponse, at now: WallTime) {
    switch response.status {
    case 200..<300:
      let limits = JSONLimits(bytes: FirebaseClient.answerLimit, depth: 16)
      if response.body.isEmpty {
        self = .accepted(.null)
      } else if let value = try? JSONValue(parsing: response.body, limits: limits) {
        self = .accepted(value)
      } else {
        self = .unreadable
      }
    case 300..<400:
      let target = response[field: "Location"].flatMap { URLParts($0)?.host }
      self = .redirected(host: target ?? "an unnamed place")
    case 401: self = .unauthorised
    case 429, 503:
      if let pause = response.retryAfter(at: now, longest: RelayAnswer.longestWait),
        pause >= .seconds(1)
      {
        self = .wait(status: response.status, pause)
      } else {
        self = .refused(status: response.status)
      }
    default: self = .refused(status: response.status)
    }
  }

  /// One line on what went wrong; nil when nothing did.
  func problem(host: String) -> String? {
    switch self {
    case .accepted: nil
    case .unauthorised: "\(host) does not accept firebase.token"
    case .wait(let status, let pause):
      "\(host) asks to wait \(pause.components.seconds) s (status \(status))"
    case .redirected(let target): "\(host) redirects to \(target), which is not followed"
    case .refused(let status): "\(host) answers with status \(status)"
    case .unreadable: "\(host) answers with what is no JSON"
    case .unreachable(_, let message): message
    }
  }

  /// By which repeated failures are counted together.
  var kind: String {
    switch self {
    case .accepted: "accepted"
    case .unauthorised: "401"
    case .wait(let status, _), .refused(let status): "\(status)"
    case .redirected: "3xx"
    case .unreadable: "unreadable"
    case .unreachable(let kind, _): kind.rawValue
    }
  }
}
