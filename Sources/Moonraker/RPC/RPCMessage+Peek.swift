extension RPCMessage {
  /// The method of a notification as Moonraker spells it, found in the frame's first bytes without parsing it.
  ///
  /// Only the exact opening `{"jsonrpc": "2.0", "method": "…"` (with or without spaces) counts, so that a `"method"`
  /// inside of something else is never taken for it; nil means that the frame must be parsed.
  static func peekMethod(_ frame: [UInt8]) -> String? {
    var cursor = Cursor(bytes: frame, offset: 0)
    guard cursor.take("{"), cursor.take("\"jsonrpc\""), cursor.take(":"), cursor.take("\"2.0\""),
      cursor.take(","), cursor.take("\"method\""), cursor.take(":"), cursor.take("\"")
    else { return nil }
    let start = cursor.offset
    while cursor.offset < frame.count, cursor.offset - start < 64 {
      let byte = frame[cursor.offset]
      if byte == UInt8(ascii: "\"") {
        return String(decoding: frame[start..<cursor.offset], as: UTF8.self)
      }
      guard byte != UInt8(ascii: "\\") else { return nil }
      cursor.offset += 1
    }
    return nil
  }

  private struct Cursor {
    let bytes: [UInt8]
    var offset: Int

    /// Steps over spaces and then `expected`; false where something else stands there.
    mutating func take(_ expected: StaticString) -> Bool {
      while offset < bytes.count, bytes[offset] == UInt8(ascii: " ") { offset += 1 }
      let length = expected.utf8CodeUnitCount
      guard offset + length <= bytes.count else { return false }
      for index in 0..<length where unsafe bytes[offset + index] != expected.utf8Start[index] {
        return false
      }
      offset += length
      return true
    }
  }
}
