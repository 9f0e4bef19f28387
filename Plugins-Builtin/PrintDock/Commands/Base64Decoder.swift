/// Decodes standard base64 with padding, in pieces; line breaks inside are passed over. A value without I/O.
struct Base64Decoder: Sendable {
  /// Where the text is no base64.
  struct Defect: Error, Sendable, Hashable {
    /// The offset of the offending byte in the text, line breaks counted.
    var offset: Int
  }

  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
    for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
    return values
  }()

  private var bits: UInt32 = 0
  /// Digits of the present group of four, padding included.
  private var digits = 0
  private var pads = 0
  private var offset = 0
  private var isOver = false

  /// The bytes that `text` adds.
  mutating func decode(_ text: [UInt8]) throws(Defect) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3 + 3)
    let values = Self.values
    for character in text {
      defer { offset += 1 }
      if character == 0x0A || character == 0x0D { continue }
      guard !isOver else { throw Defect(offset: offset) }
      if character == UInt8(ascii: "=") {
        guard digits >= 2 else { throw Defect(offset: offset) }
        pads += 1
        bits <<= 6
      } else {
        let value = values[Int(character)]
        guard value < 64, pads == 0 else { throw Defect(offset: offset) }
        bits = bits << 6 | UInt32(value)
      }
      digits += 1
      if digits == 4 { close(into: &bytes) }
    }
    return bytes
  }

  /// Ends the text.
  mutating func finish() throws(Defect) {
    guard digits == 0 else { throw Defect(offset: offset) }
  }

  private mutating func close(into bytes: inout [UInt8]) {
    bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
    if pads < 2 { bytes.append(UInt8(truncatingIfNeeded: bits >> 8)) }
    if pads == 0 { bytes.append(UInt8(truncatingIfNeeded: bits)) }
    isOver = pads > 0
    (bits, digits, pads) = (0, 0, 0)
  }
}
