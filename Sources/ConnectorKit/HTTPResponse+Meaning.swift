internal import JSON
package import Networking
package import Platform

// What answers of HTTP services have in common; what they mean is each connector's own.

extension HTTPResponse {
  /// The wait that `Retry-After` (RFC 9110) asks for, in seconds or as a date; nil where it is missing or neither.
  ///
  /// A date in the past is no wait. The obsolete forms of dates are not read.
  ///
  /// - Parameters:
  ///   - now: this host's wall time, for dates.
  ///   - longest: the most that is returned.
  package func retryAfter(at now: WallTime, longest: Duration) -> Duration? {
    self[field: "Retry-After"].flatMap { RetryAfter.wait($0, at: now, longest: longest) }
  }

  /// The service's own words about a refusal, on one line of at most 200 characters; nil where it has none.
  ///
  /// Read from `error`, `message` or `error.message` of a JSON object of at most 64 KiB.
  ///
  /// - Parameter secret: what the request held, nil for none: words that repeat it have `…` instead.
  package func words(without secret: Secret?) -> String? {
    let limits = JSONLimits(bytes: 65_536, depth: 16)
    guard let value = try? JSONValue(parsing: body, limits: limits),
      var text = value["error"]?.string ?? value["message"]?.string
        ?? value["error"]?["message"]?.string
    else { return nil }
    if let secret, !secret.revealed.isEmpty {
      text = text.replacing(text: secret.revealed, with: "…")
    }
    let line = String(
      text.unicodeScalars.prefix(200).map {
        $0.properties.generalCategory == .control ? " " : Character($0)
      })
    return line.allSatisfy(\.isWhitespace) ? nil : line
  }

  /// Whether this is a web page: a log-in page of the network (captive portal), a proxy, a wrong address.
  package var isWebPage: Bool {
    if let type = self[field: "Content-Type"], type.lowercased().contains(text: "html") {
      return true
    }
    return body.prefix(64).drop { $0 <= 0x20 }.first == UInt8(ascii: "<")
  }
}
