extension WallTime {
  /// Reads RFC 3339: `2026-11-20T08:17:29Z`, `…T08:17:29.123456+01:00`; nil for anything else.
  ///
  /// Digits of the fraction beyond milliseconds are cut off.
  package init?(rfc3339 text: String) {
    var reader = DigitReader(text)
    guard
      let year = reader.number(4), reader.take("-"), let month = reader.number(2),
      reader.take("-"), let day = reader.number(2),
      reader.take("T") || reader.take("t")
        || reader.take(" "),
      let hour = reader.number(2), reader.take(":"), let minute = reader.number(2),
      reader.take(":"), let second = reader.number(2)
    else { return nil }
    var millisecond: Int64 = 0
    if reader.take(".") {
      guard let value = reader.fraction() else { return nil }
      millisecond = value
    }
    guard let offset = reader.zone(), reader.isAtEnd,
      let time = CivilTime(
        year: year, month: month, day: day, hour: hour, minute: minute, second: second,
        millisecond: millisecond
      ).wallTime
    else { return nil }
    self.init(millisecondsSinceEpoch: time.millisecondsSinceEpoch - offset * 60_000)
  }

  /// Reads a date of HTTP (`Sun, 06 Nov 1994 08:49:37 GMT`); nil for anything else, the two obsolete forms included.
  package init?(httpDate text: String) {
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    let words = text.split(separator: " ")
    guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT",
      let month = months.firstIndex(of: String(words[2]))
    else { return nil }
    var day = DigitReader(words[1])
    var year = DigitReader(words[3])
    var clock = DigitReader(words[4])
    guard
      let dayNumber = day.number(2), day.isAtEnd, let yearNumber = year.number(4), year.isAtEnd,
      let hour = clock.number(2), clock.take(":"), let minute = clock.number(2), clock.take(":"),
      let second = clock.number(2), clock.isAtEnd,
      let time = CivilTime(
        year: yearNumber, month: Int64(month) + 1, day: dayNumber, hour: hour, minute: minute,
        second: second
      ).wallTime
    else { return nil }
    self = time
  }
}

/// Reads fixed-width digits from ASCII text.
private struct DigitReader {
  private var rest: ArraySlice<UInt8>

  init(_ text: some StringProtocol) { rest = Array(text.utf8)[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let first = rest.first, UInt32(first) == character.value else { return false }
    rest.removeFirst()
    return true
  }

  mutating func number(_ width: Int) -> Int64? {
    guard rest.count >= width else { return nil }
    var value: Int64 = 0
    for byte in rest.prefix(width) {
      guard (0x30...0x39).contains(byte) else { return nil }
      value = value * 10 + Int64(byte - 0x30)
    }
    rest.removeFirst(width)
    return value
  }

  /// Digits after a point, as milliseconds; at least one.
  mutating func fraction() -> Int64? {
    let digits = rest.prefix { (0x30...0x39).contains($0) }
    guard !digits.isEmpty else { return nil }
    rest.removeFirst(digits.count)
    var value: Int64 = 0
    for place in 0..<3 {
      let digit = digits.dropFirst(place).first.map { Int64($0 - 0x30) } ?? 0
      value = value * 10 + digit
    }
    return value
  }

  /// `Z` or `±HH:MM`, in minutes east of Greenwich.
  mutating func zone() -> Int64? {
    if take("Z") || take("z") { return 0 }
    let sign: Int64
    if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
    guard let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
    else { return nil }
    return sign * (hours * 60 + minutes)
  }
}
