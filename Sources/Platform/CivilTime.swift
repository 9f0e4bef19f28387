internal import CPlatform
internal import Glibc

/// A date and a time of day in the proleptic Gregorian calendar, without a zone.
struct CivilTime: Hashable {
  var year: Int64
  var month: Int64
  var day: Int64
  var hour: Int64 = 0
  var minute: Int64 = 0
  var second: Int64 = 0
  var millisecond: Int64 = 0

  init(
    year: Int64, month: Int64, day: Int64, hour: Int64 = 0, minute: Int64 = 0, second: Int64 = 0,
    millisecond: Int64 = 0
  ) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
    self.millisecond = millisecond
  }

  /// What a calendar and a clock in UTC show at `time`.
  init(_ time: WallTime) {
    let seconds = time.millisecondsSinceEpoch.flooredDivision(by: 1000)
    let days = seconds.flooredDivision(by: 86_400)
    let ofDay = seconds - days * 86_400

    // Years begin in March here, so that the leap day is a year's last; eras are 400 years of 146,097 days.
    let shifted = days + 719_468
    let era = shifted.flooredDivision(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    hour = ofDay / 3600
    minute = ofDay / 60 % 60
    second = ofDay % 60
    let remainder = time.millisecondsSinceEpoch % 1000
    millisecond = remainder < 0 ? remainder + 1000 : remainder
  }

  /// What a calendar and a clock of this host's zone show at `seconds` since 1970; nil where that cannot be said.
  init?(localAt seconds: time_t, millisecond: Int64) {
    var parts = [Int32](repeating: 0, count: 6)
    guard unsafe platform_local_time(seconds, &parts) != 0 else { return nil }
    self.init(
      year: Int64(parts[0]), month: Int64(parts[1]), day: Int64(parts[2]), hour: Int64(parts[3]),
      minute: Int64(parts[4]), second: Int64(parts[5]), millisecond: millisecond)
  }

  /// The moment at which a calendar and a clock in UTC show this; nil for a date that does not exist.
  var wallTime: WallTime? {
    guard
      (0...9999).contains(year), (1...12).contains(month),
      (1...CivilTime.days(in: month, of: year)).contains(day), (0...23).contains(hour),
      (0...59).contains(minute), (0...60).contains(second), (0...999).contains(millisecond)
    else { return nil }
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear.flooredDivision(by: 400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + dayOfEra - 719_468
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second
    return WallTime(millisecondsSinceEpoch: seconds * 1000 + millisecond)
  }

  /// `2026-11-20T08:17:29` with the given separator.
  func stamp(separator: String) -> String {
    "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))\(separator)"
      + "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
  }

  private static func days(in month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

/// The decimal digits of `number`, with zeros in front up to `width`.
func padded(_ number: Int64, _ width: Int) -> String {
  let digits = String(number.magnitude)
  let zeros = String(repeating: "0", count: max(0, width - digits.count))
  return (number < 0 ? "-" : "") + zeros + digits
}

extension Int64 {
  /// Division that rounds towards minus infinity.
  func flooredDivision(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
