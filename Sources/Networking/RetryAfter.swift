package import Platform

/// The header field `Retry-After` (RFC 9110).
package enum RetryAfter {
  /// The wait that the field asks for, in seconds or as a date; nil where it is neither.
  ///
  /// A date in the past is no wait. The obsolete forms of dates are not read.
  ///
  /// - Parameters:
  ///   - field: the field's value.
  ///   - now: this host's wall time, for dates.
  ///   - longest: the most that is returned.
  package static func wait(_ field: String, at now: WallTime, longest: Duration) -> Duration? {
    let text = field.split(separator: " ").joined(separator: " ")
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      // More digits than fit are longer than any wait.
      return Int64(text).map { min(.seconds(min($0, 1_000_000_000)), longest) } ?? longest
    }
    guard let date = WallTime(httpDate: text) else { return nil }
    return min(max(now.duration(to: date), .zero), longest)
  }
}
