extension JSONParser {
  /// The string that begins at the quotation mark here.
  mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> String {
    position += 1
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        defer { position += 1 }
        return try text(bytes.extracting(start..<position), at: start)
      case UInt8(ascii: "\\"): return try escapedString(bytes, from: start)
      case 0..<0x20: throw error("a control character in a string")
      default: position += 1
      }
    }
    throw error("the document ends too early")
  }

  /// The slow way, from the first escape on.
  private mutating func escapedString(
    _ bytes: Span<UInt8>, from start: Int
  ) throws(JSONError) -> String {
    var content: [UInt8] = []
    // Content that is still to be copied as it stands.
    var pending = start
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        try copy(bytes.extracting(pending..<position), at: pending, to: &content)
        position += 1
        return String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"):
        try copy(bytes.extracting(pending..<position), at: pending, to: &content)
        try escape(bytes, to: &content)
        pending = position
      case 0..<0x20: throw error("a control character in a string")
      default: position += 1
      }
    }
    throw error("the document ends too early")
  }

  mutating func escape(
    _ bytes: Span<UInt8>, to content: inout [UInt8]
  ) throws(JSONError) {
    let start = position
    position += 1
    guard position < bytes.count else { throw error("the document ends too early") }
    let letter = bytes[position]
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(letter)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      content.append(contentsOf: String(try scalar(bytes, from: start)).utf8)
    default: throw error("an unknown escape in a string", at: start)
    }
  }

  /// The scalar of a `\u` escape (two of them for a surrogate pair) whose first digit comes next.
  private mutating func scalar(
    _ bytes: Span<UInt8>, from start: Int
  ) throws(JSONError) -> Unicode.Scalar {
    let first = try fourDigits(bytes)
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xD800..<0xDC00).contains(first),
      take(UInt8(ascii: "\\"), bytes), take(UInt8(ascii: "u"), bytes)
    else { throw error("half a surrogate pair in a string", at: start) }
    let second = try fourDigits(bytes)
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x1_0000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw error("half a surrogate pair in a string", at: start) }
    return scalar
  }

  private mutating func fourDigits(_ bytes: Span<UInt8>) throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count else { throw error("the document ends too early") }
      let digit: UInt8
      switch bytes[position] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[position] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[position] - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[position] - UInt8(ascii: "A") + 10
      default: throw error("\\u needs four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  /// `bytes`, which stand at `offset` of the document, as text.
  private func text(_ bytes: Span<UInt8>, at offset: Int) throws(JSONError) -> String {
    do {
      return String(copying: try UTF8Span(validating: bytes))
    } catch {
      throw self.error("bytes that are not UTF-8", at: offset + error.byteOffsets.lowerBound)
    }
  }

  /// Appends `bytes`, which stand at `offset` of the document, if they are UTF-8.
  private func copy(
    _ bytes: Span<UInt8>, at offset: Int, to content: inout [UInt8]
  ) throws(JSONError) {
    content.append(contentsOf: try text(bytes, at: offset).utf8)
  }
}
