/// The parts of a number as RFC 8259 spells it, for exact arithmetic on them.
struct DecimalSpelling {
  private var isNegative = false
  private var digits: [UInt8] = []
  private var exponent = 0

  /// Takes a spelling apart; it must follow the grammar.
  init(_ text: String) {
    var hasFraction = false
    var characters = text.utf8.makeIterator()
    while let character = characters.next() {
      switch character {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "."): hasFraction = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        var isSmall = false
        var power = 0
        while let next = characters.next() {
          switch next {
          case UInt8(ascii: "-"): isSmall = true
          case UInt8(ascii: "+"): break
          // No number of digits that fits in memory makes up for such an exponent.
          default: power = min(power * 10 + Int(next & 0x0F), 1 << 40)
          }
        }
        exponent += isSmall ? -power : power
      default:
        digits.append(character & 0x0F)
        if hasFraction { exponent -= 1 }
      }
    }
    while digits.last == 0 {
      digits.removeLast()
      exponent += 1
    }
  }

  /// The value when it is an integer of 64 bits.
  var integer: Int64? {
    guard !digits.isEmpty else { return 0 }
    guard exponent >= 0 else { return nil }
    var value: Int64 = 0
    for digit in digits {
      guard let next = Self.append(digit, to: value, isNegative) else { return nil }
      value = next
    }
    // The value is not zero, so an overflow ends this loop after 18 rounds at the latest.
    for _ in 0..<exponent {
      guard let next = Self.append(0, to: value, isNegative) else { return nil }
      value = next
    }
    return value
  }

  private static func append(_ digit: UInt8, to value: Int64, _ isNegative: Bool) -> Int64? {
    let (product, overflow) = value.multipliedReportingOverflow(by: 10)
    guard !overflow else { return nil }
    let (sum, carry) =
      isNegative
      ? product.subtractingReportingOverflow(Int64(digit))
      : product.addingReportingOverflow(Int64(digit))
    return carry ? nil : sum
  }
}
