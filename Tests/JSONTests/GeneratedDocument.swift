import JSON
import TestSupport

/// Random documents of every kind of value.
enum GeneratedDocument {
  /// A value nested at most `depth` levels.
  static func value(using random: inout SeededGenerator, depth: Int = 4) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 12 : 9), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .integer(Int64(bitPattern: random.next()))
    case 3: return .integer(Int64.random(in: -1_000...1_000, using: &random))
    case 4, 5: return .double(double(using: &random))
    case 6: return .double(Double(Int.random(in: -100_000...100_000, using: &random)) / 1_000)
    case 7, 8: return .string(text(using: &random))
    case 9, 10:
      var object = JSONObject()
      for _ in 0..<Int.random(in: 0...24, using: &random) {
        object[text(using: &random)] = value(using: &random, depth: depth - 1)
      }
      return .object(object)
    default:
      let count = Int.random(in: 0...8, using: &random)
      return .array((0..<count).map { _ in value(using: &random, depth: depth - 1) })
    }
  }

  private static func double(using random: inout SeededGenerator) -> Double {
    while true {
      let candidate = Double(bitPattern: random.next())
      if candidate.isFinite { return candidate }
    }
  }

  private static func text(using random: inout SeededGenerator) -> String {
    let alphabets: [ClosedRange<UInt32>] = [
      0x00...0x7F, 0x61...0x7A, 0x80...0x7FF, 0x800...0xD7FF, 0xE000...0xFFFF, 0x1_0000...0x10_FFFF,
    ]
    var text = ""
    for _ in 0..<Int.random(in: 0...20, using: &random) {
      let alphabet = alphabets.randomElement(using: &random) ?? 0x61...0x7A
      if let scalar = Unicode.Scalar(UInt32.random(in: alphabet, using: &random)) {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
