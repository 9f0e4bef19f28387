import Foundation
import Platform
import Testing

@Suite("Wall time") struct WallTimeTests {
  @Test(
    "RFC 3339 stamps",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"),
      (1_795_162_973_123, "2026-11-20T08:22:53.123Z"),
      (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
      (-1, "1969-12-31T23:59:59.999Z"),
      (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
    ] as [(Int64, String)])
  func stamps(milliseconds: Int64, expected: String) {
    let time = WallTime(millisecondsSinceEpoch: milliseconds)
    #expect(time.rfc3339Milliseconds == expected)
    #expect(time.rfc3339Seconds == expected.prefix(19) + "Z")
  }

  @Test("Stamps agree with Foundation's calendar and are read back, for two thousand moments")
  func foundationAgrees() {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"
    let http = DateFormatter()
    http.locale = Locale(identifier: "en_US_POSIX")
    http.timeZone = TimeZone(identifier: "GMT")
    http.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2_000 {
      // 1900 to 2199: DateFormatter turns Julian before 1582.
      let seconds = Int64.random(in: -2_208_988_800..<7_258_118_400, using: &generator)
      let time = WallTime(
        millisecondsSinceEpoch: seconds * 1000 + Int64.random(in: 0..<1000, using: &generator))
      let date = Date(timeIntervalSince1970: Double(seconds))
      #expect(time.rfc3339Seconds.dropLast() == formatter.string(from: date).dropLast(5))
      #expect(WallTime(rfc3339: time.rfc3339Milliseconds) == time)
      #expect(
        WallTime(httpDate: http.string(from: date))
          == WallTime(millisecondsSinceEpoch: seconds * 1000))
    }
  }

  @Test("Moments far out are stamped without a trap", arguments: [Int64.min, Int64.max])
  func extremes(milliseconds: Int64) {
    let time = WallTime(millisecondsSinceEpoch: milliseconds)
    #expect(!time.rfc3339Milliseconds.isEmpty)
    #expect(!time.localStamp.isEmpty)
  }

  @Test(
    "RFC 3339 is read with zones and fractions",
    arguments: [
      ("2026-11-20T08:17:29Z", 1_795_162_649_000),
      ("2026-11-20T09:17:29+01:00", 1_795_162_649_000),
      ("2026-11-20T02:47:29.5-05:30", 1_795_162_649_500),
      ("2026-11-20t08:17:29.123456789z", 1_795_162_649_123),
    ] as [(String, Int64)])
  func reading(text: String, expected: Int64) {
    #expect(WallTime(rfc3339: text)?.millisecondsSinceEpoch == expected)
  }

  @Test(
    "What is no RFC 3339 stamp is refused",
    arguments: [
      "", "2026-11-20", "2026-11-20T08:17:29", "2026-13-20T08:17:29Z", "2026-02-29T00:00:00Z",
      "2026-11-20T24:00:00Z", "2026-11-20T08:60:00Z", "2026-11-20T08:17:29.Z",
      "2026-11-20T08:17:29Zx", "+026-11-20T08:17:29Z", "2026-11-20T08:17:29+1:00",
      "٢٠٢٦-11-20T08:17:29Z",
    ])
  func refusing(text: String) { #expect(WallTime(rfc3339: text) == nil) }

  @Test("An HTTP date is read")
  func httpDate() {
    #expect(
      WallTime(httpDate: "Sun, 06 Nov 1994 08:49:37 GMT")?.rfc3339Seconds == "1994-11-06T08:49:37Z")
  }

  @Test(
    "What is no HTTP date is refused",
    arguments: [
      "", "120", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
      "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
    ])
  func refusingHTTPDate(text: String) { #expect(WallTime(httpDate: text) == nil) }

  @Test("The local stamp is that of the system's zone")
  func localStamp() {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyy-MM-dd HH:mm:ss"
    let time = WallTime(millisecondsSinceEpoch: 1_795_162_973_007)
    let expected = formatter.string(from: Date(timeIntervalSince1970: 1_795_162_973))
    #expect(time.localStamp == expected + ".007")
  }

  @Test("Moving a moment clamps at the ends")
  func advancing() {
    let time = WallTime(millisecondsSinceEpoch: 1_000)
    #expect(time.advanced(by: .milliseconds(-1_500)).millisecondsSinceEpoch == -500)
    #expect(time.advanced(by: .seconds(Int64.max)).millisecondsSinceEpoch == .max)
    #expect(time.advanced(by: .seconds(Int64.min)).millisecondsSinceEpoch == .min)
    #expect(time.duration(to: time.advanced(by: .seconds(7))) == .seconds(7))
  }
}
