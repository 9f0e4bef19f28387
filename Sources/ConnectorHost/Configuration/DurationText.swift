/// Times as the configuration writes them: seconds, or a number with `ms`, `s`, `m` or `h`.
enum DurationText {
  private static let units: [(suffix: String, milliseconds: Double)] = [
    ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000),
  ]

  /// The time that `text` says; nil when it says none, or more than 30,000 years.
  static func parse(_ text: String) -> Duration? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let suffix = text[number.endIndex...]
    guard let value = decimal(number),
      let unit = suffix.isEmpty ? 1_000 : units.first(where: { $0.suffix == suffix })?.milliseconds,
      value * unit < 1e15
    else { return nil }
    return .microseconds(Int64((value * unit * 1_000).rounded()))
  }

  /// `duration` in the largest unit that leaves no fraction: `500ms`, `30s`, `5m`, `1h`.
  static func describe(_ duration: Duration) -> String {
    let parts = duration.components
    let milliseconds = parts.attoseconds / 1_000_000_000_000_000
    guard milliseconds == 0 else {
      return
        "\(parts.seconds.multipliedReportingOverflow(by: 1_000).partialValue &+ milliseconds)ms"
    }
    if parts.seconds != 0 && parts.seconds.isMultiple(of: 3_600) {
      return "\(parts.seconds / 3_600)h"
    }
    if parts.seconds != 0 && parts.seconds.isMultiple(of: 60) { return "\(parts.seconds / 60)m" }
    return "\(parts.seconds)s"
  }

  /// A decimal number without sign and exponent.
  static func decimal(_ text: some StringProtocol) -> Double? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), text.utf8.count <= 20,
      parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
    else { return nil }
    return Double(text)
  }
}
