internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// How a call to the relay went, as far as decisions depend on it.
enum RelayAnswer: Sendable, Equatable {
  /// 2xx; the object that came with it, empty when there was none.
  case accepted(JSONObject)
  /// 401, with the relay's words.
  case unauthorised(String)
  /// 403 or 404, with the relay's words.
  case forbidden(status: Int, String)
  /// Another 4xx, with the relay's words.
  case refused(status: Int, String)
  /// 429 or 503 with a time to wait.
  case wait(status: Int, Duration)
  /// 3xx: where the relay would have sent us.
  case redirected(host: String)
  /// 5xx, 429 without a time, or a status that nobody sends.
  case failed(status: Int)
  /// 2xx with something that is no JSON object, where one is needed.
  case unreadable
  /// No answer at all.
  case unreachable(NetworkError.Kind, String)

  /// The longest time that a relay may make us wait.
  static let longestWait = Duration.seconds(15 * 60)

  /// Reads a whole answer.
  ///
  /// - Parameters:
  ///   - secret: what the request held, and what the relay's own words must not bring before people.
  ///   - needsObject: whether a body that is no JSON object is a failure; none at all never is.
  init(
    _ response: HTTPResponse, at now: WallTime, hiding secret: Secret? = nil,
    needsObject: Bool = false
  ) {
    switch response.status {
    case 200..<300:
      let limits = JSONLimits(depth: needsObject ? 64 : 16)
      let body = try? JSONValue(parsing: response.body, limits: limits)
      if needsObject, !response.body.isEmpty, body?.object == nil {
        self = .unreadable
      } else {
        self = .accepted(body?.object ?? JSONObject())
      }
    case 300..<400:
      let target = response[field: "Location"].flatMap { URLParts($0)?.host }
      self = .redirected(host: target ?? "an unnamed place")
    case 401: self = .unauthorised(Self.words(response, without: secret))
    case 403, 404: self = .forbidden(status: response.status, Self.words(response, without: secret))
    case 429, 503:
      // Less than a second would be a busy loop, and is taken as no wish: our own back-off counts.
      if let pause = response.retryAfter(at: now, longest: Self.longestWait), pause >= .seconds(1) {
        self = .wait(status: response.status, pause)
      } else {
        self = .failed(status: response.status)
      }
    case 400..<500: self = .refused(status: response.status, Self.words(response, without: secret))
    default: self = .failed(status: response.status)
    }
  }

  /// The status, and the relay's own words where it has some.
  private static func words(_ response: HTTPResponse, without secret: Secret?) -> String {
    let status = "status \(response.status)"
    return response.words(without: secret).map { "\(status): \($0)" } ?? status
  }

  /// One line on what went wrong; nil when nothing did.
  func problem(host: String) -> String? {
    switch self {
    case .accepted: nil
    case .unauthorised: "\(host) does not accept the token"
    case .forbidden(_, let words): "\(host) refuses this printer (\(words))"
    case .refused(_, let words): "\(host) does not take it (\(words))"
    case .wait(let status, let pause):
      "\(host) asks to wait \(pause.components.seconds) s (status \(status))"
    case .redirected(let target): "\(host) redirects to \(target), which is not followed"
    case .failed(let status): "\(host) answers with status \(status)"
    case .unreadable: "\(host) answers with what is no JSON object"
    case .unreachable(_, let message): message
    }
  }

  /// What the owner can do about it.
  var remedy: String {
    switch self {
    case .accepted, .wait, .failed, .refused: "nothing to do: it is tried again"
    case .unauthorised: "pair again with a new pairing_code from the dashboard's wizard"
    case .forbidden: "check in the dashboard that the printer still exists"
    case .redirected, .unreadable:
      "check relay in the configuration, and whether this network asks for a login"
    case .unreachable(.tls, _): "check network.ca_file and pinned_public_key"
    case .unreachable(.connect, _):
      "check this host's internet connection and relay in the configuration"
    case .unreachable(let kind, _): kind.remedy(address: "relay")
    }
  }

  /// By which repeated failures are counted together.
  var kind: String {
    switch self {
    case .accepted: "accepted"
    case .unauthorised: "401"
    case .forbidden(let status, _), .refused(let status, _), .wait(let status, _),
      .failed(let status):
      "\(status)"
    case .redirected: "3xx"
    case .unreadable: "unreadable"
    case .unreachable(let kind, _): kind.rawValue
    }
  }
}
