internal import Platform

/// The header field `Retry-After` (RFC 9110): seconds or a date.
enum RetryAfter {
  /// The time to wait from `now` on; nil when `field` is neither. A date in the past is no wait.
  static func duration(_ field: String, at now: WallTime) -> Duration? {
    let text = field.split(separator: " ").joined(separator: " ")
    if !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    {
      return .seconds(min(Int64(text) ?? .max, 1_000_000_000))
    }
    guard let date = secondsSinceEpoch(text) else { return nil }
    return max(.zero, .milliseconds(date * 1_000 - now.millisecondsSinceEpoch))
  }

  /// `Sun, 06 Nov 1994 08:49:37 GMT` as seconds since 1970; the other, obsolete forms are not read.
  private static func secondsSinceEpoch(_ text: String) -> Int64? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let day = number(parts[1], 1...31),
      let month = months.firstIndex(of: String(parts[2])), let year = number(parts[3], 1970...9999)
    else { return nil }
    let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false)
    guard clock.count == 3, let hour = number(clock[0], 0...23),
      let minute = number(clock[1], 0...59),
      let second = number(clock[2], 0...60)
    else { return nil }
    return ((days(year, Int64(month) + 1, day) * 24 + hour) * 60 + minute) * 60 + second
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func number(_ text: Substring, _ range: ClosedRange<Int64>) -> Int64? {
    Int64(text).flatMap { range.contains($0) ? $0 : nil }
  }

  /// Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month > 2 ? year : year - 1
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
  }
}
