/// Bytes that are known to be UTF-8 text without control characters, with the starts of its lines.
struct YAMLText {
  /// The text without a byte order mark.
  let bytes: [UInt8]
  /// Offsets of the lines' first bytes.
  private let lineStarts: [Int]

  /// Checks `raw`.
  ///
  /// - Throws: `YAMLError` at the first byte that no text file of ours may hold.
  init(_ raw: [UInt8]) throws(YAMLError) {
    let start = YAMLPosition(line: 1, column: 1)
    if raw.starts(with: [0xFF, 0xFE]) || raw.starts(with: [0xFE, 0xFF]) || Self.looksUTF16(raw) {
      throw YAMLError("the file is UTF-16", remedy: "save it as UTF-8", position: start)
    }
    let bytes = raw.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(raw.dropFirst(3)) : raw
    var position = start
    var lineStarts = [0]
    var offset = 0
    while offset < bytes.count {
      let byte = bytes[offset]
      switch byte {
      case 0x0A:
        offset += 1
        lineStarts.append(offset)
        position.line += 1
        position.column = 1
        continue
      case 0x0D where offset + 1 < bytes.count && bytes[offset + 1] == 0x0A, 0x09, 0x20...0x7E:
        offset += 1
      case 0x0D:
        throw YAMLError(
          "a lone carriage return ends this line", remedy: "save the file with Unix line ends",
          position: position)
      case 0...0x1F, 0x7F:
        throw Self.refusal(of: byte, in: bytes, at: position)
      default:
        guard let length = Self.sequenceLength(bytes, at: offset) else {
          throw Self.refusal(of: byte, in: bytes, at: position)
        }
        if let name = Self.hiddenBreak(bytes[offset..<offset + length]) {
          throw YAMLError(
            "an invisible line break (\(name)) stands here", remedy: "delete it", position: position
          )
        }
        offset += length
      }
      position.column += 1
    }
    self.bytes = bytes
    self.lineStarts = lineStarts
  }

  /// Whether nothing but spaces stands before `position` on its line.
  func isFirstOnLine(_ position: YAMLPosition) -> Bool {
    guard lineStarts.indices.contains(position.line - 1) else { return false }
    let start = lineStarts[position.line - 1]
    let end = start + position.column - 1
    return end <= bytes.count && bytes[start..<end].allSatisfy { $0 == 0x20 }
  }

  /// The ASCII character at `position`, or nil.
  func character(at position: YAMLPosition) -> Character? {
    guard lineStarts.indices.contains(position.line - 1) else { return nil }
    let line = bytes[lineStarts[position.line - 1]...].prefix { $0 != 0x0A }
    return String(decoding: line, as: UTF8.self).unicodeScalars.dropFirst(position.column - 1).first
      .map(Character.init)
  }

  private static func refusal(
    of byte: UInt8, in bytes: [UInt8], at position: YAMLPosition
  ) -> YAMLError {
    if bytes.contains(0) {
      return YAMLError(
        "the file is binary, not text", remedy: "check that this is the right file",
        position: position)
    }
    let code = "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    if byte < 0x80 {
      return YAMLError(
        "a control character (\(code)) stands here", remedy: "delete it", position: position)
    }
    return YAMLError(
      "the byte \(code) is no UTF-8 text", remedy: "save the file as UTF-8", position: position)
  }

  /// ASCII with every second byte zero: UTF-16 without a mark.
  private static func looksUTF16(_ bytes: [UInt8]) -> Bool {
    guard bytes.count >= 4, bytes.count.isMultiple(of: 2) else { return false }
    let sample = bytes.prefix(64)
    let zeros = sample.indices.filter { sample[$0] == 0 }
    return zeros.count * 2 == sample.count
      && (zeros.allSatisfy { $0.isMultiple(of: 2) } || zeros.allSatisfy { !$0.isMultiple(of: 2) })
  }

  /// Characters that YAML 1.1 takes for line breaks and no editor shows as one.
  private static func hiddenBreak(_ character: ArraySlice<UInt8>) -> String? {
    switch Array(character) {
    case [0xC2, 0x85]: "U+0085"
    case [0xE2, 0x80, 0xA8]: "U+2028"
    case [0xE2, 0x80, 0xA9]: "U+2029"
    default: nil
    }
  }

  /// The length of the well-formed multi-byte character at `offset` (Unicode's table 3-7), or nil.
  private static func sequenceLength(_ bytes: [UInt8], at offset: Int) -> Int? {
    let (length, second): (Int, ClosedRange<UInt8>)
    switch bytes[offset] {
    case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return nil
    }
    guard offset + length <= bytes.count, second.contains(bytes[offset + 1]),
      bytes[(offset + 2)..<(offset + length)].allSatisfy({ (0x80...0xBF).contains($0) })
    else { return nil }
    return length
  }
}
