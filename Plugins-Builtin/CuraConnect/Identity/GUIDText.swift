internal import Cryptography

/// UUIDs as text, in lower case.
enum GUIDText {
  /// `text` in lower case where it is a UUID; nil otherwise.
  static func normalized(_ text: String) -> String? {
    let bytes = Array(text.lowercased().utf8)
    guard bytes.count == 36 else { return nil }
    for (place, byte) in bytes.enumerated() {
      let isDash = [8, 13, 18, 23].contains(place)
      guard isDash ? byte == UInt8(ascii: "-") : isDigit(byte) else { return nil }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A new one.
  static func random() -> String {
    var digits: [UInt8] = []
    for _ in 0..<2 { digits += hexadecimal(UInt64.random(in: .min ... .max)) }
    return shaped(digits, version: "4")
  }

  /// The one that belongs to `parts`, always the same.
  static func derived(from parts: String...) -> String {
    let text = parts.joined(separator: "\n")
    return shaped(Array(Digest.sha256Hex(Array(text.utf8)).utf8), version: "8")
  }

  /// So many random hexadecimal digits, a multiple of 16.
  static func randomDigits(_ count: Int) -> String {
    var digits: [UInt8] = []
    while digits.count < count { digits += hexadecimal(UInt64.random(in: .min ... .max)) }
    return String(decoding: digits.prefix(count), as: UTF8.self)
  }

  private static func shaped(_ digits: [UInt8], version: Character) -> String {
    var text = ""
    for (place, digit) in digits.prefix(32).enumerated() {
      if [8, 12, 16, 20].contains(place) { text += "-" }
      switch place {
      case 12: text.append(version)
      case 16: text.append("a")
      default: text.unicodeScalars.append(Unicode.Scalar(digit))
      }
    }
    return text
  }

  private static func hexadecimal(_ number: UInt64) -> [UInt8] {
    let digits = Array(String(number, radix: 16).utf8)
    return [UInt8](repeating: UInt8(ascii: "0"), count: 16 - digits.count) + digits
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }
}
