internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// Sorts PrintDock's answers. Pure.
enum CloudAnswer {
  /// What a call expects of a 2xx.
  enum Expectation: Sendable {
    /// Anything but a web page.
    case anything
    /// A JSON object.
    case object
  }

  /// The longest wait that `Retry-After` may ask for.
  static let longestRetryAfter = Duration.seconds(300)

  /// The object of a successful answer (an empty one where none was expected), or why it is none.
  ///
  /// - Parameter secret: what the request held, and what the cloud's own words must not bring before people.
  static func decode(
    _ response: HTTPResponse, expecting expectation: Expectation, at wallTime: WallTime,
    hiding secret: Secret? = nil
  ) throws(CloudError) -> JSONObject {
    try check(response, at: wallTime, hiding: secret)
    if case .anything = expectation { return JSONObject() }
    guard !response.body.isEmpty else { throw notPrintDock(response, "an empty answer") }
    guard
      let value = try? JSONValue(parsing: response.body, limits: JSONLimits(bytes: 1 << 20))
    else { throw notPrintDock(response, "something that is not JSON") }
    guard let object = value.object else { throw notPrintDock(response, "JSON of another kind") }
    return object
  }

  /// The first elements of a successful answer to a poll, each to be decoded by itself, and how many there are in all;
  /// `null` is none.
  ///
  /// - Parameters:
  ///   - most: so many elements are kept.
  ///   - secret: as in ``decode(_:expecting:at:hiding:)``.
  static func list(
    _ response: HTTPResponse, most: Int = .max, at wallTime: WallTime, hiding secret: Secret? = nil
  ) throws(CloudError) -> (first: [JSONSlice], count: Int) {
    try check(response, at: wallTime, hiding: secret)
    guard !response.body.isEmpty else { throw notPrintDock(response, "an empty answer") }
    // How many bytes there may be has been decided when they were fetched.
    let limits = JSONLimits(bytes: .max)
    guard let list = try? JSONSlice(document: response.body, limits: limits) else {
      throw notPrintDock(response, "something that is not JSON")
    }
    guard list.kind == .array || list.kind == .null else {
      throw notPrintDock(response, "JSON of another kind")
    }
    return list.elements(atMost: most)
  }

  /// Sorts out what is no success, or no answer of PrintDock's.
  private static func check(
    _ response: HTTPResponse, at wallTime: WallTime, hiding secret: Secret?
  ) throws(CloudError) {
    switch response.status {
    case 200..<300: break
    case 300..<400:
      throw CloudError(
        kind: .redirected, status: response.status,
        problem: "PrintDock's address redirects elsewhere (status \(response.status))",
        remedy: "write the address it leads to as cloud_url; redirects are not followed")
    default: throw refusal(response, at: wallTime, hiding: secret)
    }
    if response.isWebPage { throw notPrintDock(response, "a web page") }
  }

  private static func notPrintDock(_ response: HTTPResponse, _ what: String) -> CloudError {
    CloudError(
      kind: .notPrintDock, status: response.status,
      problem: "not a PrintDock answer: \(what) came back (status \(response.status))",
      remedy: "check cloud_url, and whether this network wants a log-in page to be answered first")
  }

  private static func refusal(
    _ response: HTTPResponse, at wallTime: WallTime, hiding secret: Secret?
  ) -> CloudError {
    let status = response.status
    let words = response.words(without: secret).map { "\(status): \($0)" } ?? "\(status)"
    var error: CloudError
    switch status {
    case 401, 403:
      error = CloudError(
        kind: .unauthorized, status: status, problem: "credentials refused (\(words))",
        remedy: "if the printer was removed at PrintDock, pair anew with a fresh pairing_token")
    case 404:
      error = CloudError(
        kind: .unknown, status: status, problem: "connector not known (\(words))",
        remedy: "check cloud_url; if the printer was removed at PrintDock, pair anew with a fresh "
          + "pairing_token")
    case 408, 425, 429, 500...:
      error = CloudError(
        kind: .busy, status: status, problem: "PrintDock has trouble (\(words))",
        remedy: "it is tried again by itself")
      if status == 429 || status == 503 {
        error.retryAfter = response.retryAfter(at: wallTime, longest: longestRetryAfter)
      }
    default:
      error = CloudError(
        kind: .rejected, status: status, problem: "PrintDock refuses the request (\(words))",
        remedy: "update printer-uplink, or report this as a fault")
    }
    error.words = words
    return error
  }
}
