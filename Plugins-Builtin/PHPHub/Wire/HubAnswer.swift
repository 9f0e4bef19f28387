internal import ConnectorKit
internal import JSON
internal import Networking
internal import Platform

/// How a call to the hub went, as far as decisions depend on it.
enum HubAnswer: Sendable, Equatable {
  /// `success: true`, with the object that came.
  case accepted(JSONObject)
  /// `success: false`, with the hub's own words, which decide nothing.
  case refused(String)
  /// It asks to wait.
  case wait(status: Int, Duration)
  /// Something else than the hub's answer: an error page, another status, half a document. Tried again later.
  case unusable(String)
  /// It leads somewhere that is not followed.
  case redirected(to: String)
  /// No answer at all.
  case unreachable(NetworkError.Kind, String)

  /// The longest time that a hub may make us wait.
  static let longestWait = Duration.seconds(600)

  /// Reads a whole answer.
  ///
  /// - Parameters:
  ///   - document: its body, where that has been read already.
  ///   - secret: what must not stand in what is told of it, even where the hub's own words hold it.
  init(
    _ response: HTTPResponse, at now: WallTime, document: HubDocument? = nil,
    hiding secret: Secret? = nil
  ) {
    let status = response.status
    if status == 429 || status == 503,
      let pause = response.retryAfter(at: now, longest: Self.longestWait), pause >= .seconds(1)
    {
      self = .wait(status: status, pause)
      return
    }
    guard (200..<300).contains(status) else {
      self = .unusable("status \(status)")
      return
    }
    guard let object = (document ?? HubDocument(response.body)).object else {
      self = .unusable(Self.fault(of: response))
      return
    }
    switch object["success"] {
    case .bool(true): self = .accepted(object)
    case .bool(false):
      let words = object["message"]?.string ?? "no reason"
      self = .refused(words.hiding(secret).oneLine)
    default: self = .unusable("an answer without success")
    }
  }

  /// What it is instead of the hub's answer.
  private static func fault(of response: HTTPResponse) -> String {
    if response.body.isEmpty { return "an empty answer" }
    return response.isWebPage
      ? "an HTML page instead of JSON: PHP's error page, a log-in page, or another address"
      : "an answer that is no JSON object"
  }

  /// One line on what went wrong; nil when nothing did.
  func problem(host: String) -> String? {
    switch self {
    case .accepted: nil
    case .refused(let words): "\(host) refuses it: \(words)"
    case .wait(let status, let pause):
      "\(host) asks to wait \(pause.components.seconds) s (status \(status))"
    case .unusable(let what): "\(host) sends \(what)"
    case .redirected(let target): "\(host) redirects to \(target)"
    case .unreachable(_, let message): message
    }
  }

  /// What the owner can do.
  var remedy: String {
    switch self {
    case .accepted: ""
    case .refused: "check printer_token, and the hub's own log"
    case .wait: "it is tried again by itself"
    case .unusable: "look at the hub's PHP log; it is tried again by itself"
    case .redirected: "write that address as server_url"
    case .unreachable(let kind, _): kind.remedy(address: "server_url")
    }
  }
}

/// A body of the hub's: JSON on one line, perhaps behind PHP's own warnings.
struct HubDocument: Sendable {
  /// What came; nil where it is no object.
  var object: JSONObject?
  /// Whether something stood before it.
  var hasWarnings = false

  /// Reads a body. Byte order marks are skipped, one for each of the hub's files that has one; where the whole is no JSON,
  /// the last line that is not empty counts.
  init(_ body: [UInt8]) {
    let limits = JSONLimits(bytes: 8 << 20, depth: 32)
    let bytes = Self.unmarked(body[...])
    if let whole = try? JSONValue(parsing: bytes, limits: limits) {
      object = whole.object
      return
    }
    let lines = bytes.split { $0 == 0x0A || $0 == 0x0D }
    guard lines.count > 1,
      let last = lines.last(where: { $0.contains { $0 != 0x20 && $0 != 0x09 } }),
      let value = try? JSONValue(parsing: Self.unmarked(last), limits: limits)
    else { return }
    object = value.object
    hasWarnings = object != nil
  }

  private static func unmarked(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var bytes = bytes
    while bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    return Array(bytes)
  }
}

extension JSONObject {
  /// The elements of a list. PHP writes a list that something was taken out of as a map whose names are the old indices.
  func list(_ name: String) -> [JSONValue] {
    switch self[name] {
    case .array(let elements): elements
    case .object(let members)
    where members.keys.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }:
      members.map { $1 }
    default: []
    }
  }
}

extension String {
  /// The text without a secret that it holds, as it is or as it stands in an address.
  func hiding(_ secret: Secret?) -> String {
    guard let text = secret?.revealed, !text.isEmpty else { return self }
    return replacing(text: text, with: "(token)")
      .replacing(text: URLParts.escape(text), with: "(token)")
  }

  /// The text on one line, at most 200 characters, without what could disturb a log.
  var oneLine: String { printable(200) }

  /// The text without control characters and marks that turn the writing direction, at most so many scalars.
  func printable(_ count: Int) -> String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.prefix(count).filter { scalar in
          switch scalar.value {
          case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: false
          default: true
          }
        }))
  }
}
