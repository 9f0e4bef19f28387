// Finding out where values stand, without making them.

extension JSONParser {
  /// Steps over a whole document and returns where its value stands.
  mutating func skipDocument(_ bytes: Span<UInt8>) throws(JSONError) -> Range<Int> {
    skipSpace(bytes)
    let start = position
    try skipValue(bytes, depth: 0)
    let range = start..<position
    skipSpace(bytes)
    guard position == bytes.count else { throw error("something follows the document") }
    return range
  }

  /// The next value inside of a container that has been checked; nil at its end.
  mutating func skipNext(_ bytes: Span<UInt8>) throws(JSONError) -> Range<Int>? {
    skipSpace(bytes)
    if take(UInt8(ascii: ","), bytes) || take(UInt8(ascii: ":"), bytes) { skipSpace(bytes) }
    guard position < bytes.count, bytes[position] != UInt8(ascii: "]"),
      bytes[position] != UInt8(ascii: "}")
    else { return nil }
    let start = position
    try skipValue(bytes, depth: 0)
    return start..<position
  }

  private mutating func skipValue(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) {
    guard position < bytes.count else { throw error("the document ends too early") }
    switch bytes[position] {
    case UInt8(ascii: "{"): try skipContainer(bytes, end: UInt8(ascii: "}"), depth: depth + 1)
    case UInt8(ascii: "["): try skipContainer(bytes, end: UInt8(ascii: "]"), depth: depth + 1)
    case UInt8(ascii: "\""): try skipString(bytes)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try number(bytes)
    case UInt8(ascii: "t"): try word("true", bytes)
    case UInt8(ascii: "f"): try word("false", bytes)
    case UInt8(ascii: "n"): try word("null", bytes)
    default: throw error("no value begins like this")
    }
  }

  private mutating func skipContainer(
    _ bytes: Span<UInt8>, end: UInt8, depth: Int
  ) throws(JSONError) {
    try checkDepth(depth)
    position += 1
    skipSpace(bytes)
    if take(end, bytes) { return }
    while true {
      if end == UInt8(ascii: "}") {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
          throw unexpected("a key is missing in an object", bytes)
        }
        try skipString(bytes)
        skipSpace(bytes)
        guard take(UInt8(ascii: ":"), bytes) else {
          throw unexpected("a colon is missing after a key", bytes)
        }
        skipSpace(bytes)
      }
      try skipValue(bytes, depth: depth)
      skipSpace(bytes)
      if take(end, bytes) { return }
      guard take(UInt8(ascii: ","), bytes) else {
        throw unexpected("a comma or a closing bracket is missing", bytes)
      }
      skipSpace(bytes)
    }
  }

  private mutating func skipString(_ bytes: Span<UInt8>) throws(JSONError) {
    position += 1
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\\"): position += 2
      case 0..<0x20: throw error("a control character in a string")
      default: position += 1
      }
    }
    throw JSONError(problem: "the document ends too early", offset: bytes.count)
  }

  /// Appends the text of a string from here up to `end` (or to the end of the escape that stands there) to `content`.
  mutating func unescape(
    _ bytes: Span<UInt8>, until end: Int, to content: inout [UInt8]
  ) throws(JSONError) {
    while position < end {
      if bytes[position] == UInt8(ascii: "\\") {
        try escape(bytes, to: &content)
      } else {
        content.append(bytes[position])
        position += 1
      }
    }
  }
}
