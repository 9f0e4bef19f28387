/// A glob over a whole command word, in any case: `*` any run, `?` one character, `[abc]`, `[a-z]`, `[!a]` sets.
struct GlobPattern: Sendable, Hashable {
  private enum Part: Sendable, Hashable {
    case run
    case one
    case byte(UInt8)
    case set([ClosedRange<UInt8>], isNegated: Bool)
  }
  private let parts: [Part]
  /// The letter of a pattern such as `G*`: it means classic codes only (`G28`, `G92.1`).
  private let classicLetter: UInt8?

  /// Reads a pattern; an unclosed set is the character `[`.
  init(_ text: String) {
    let bytes = Array(text.uppercased().utf8)
    var parts: [Part] = []
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "*"): parts.append(.run)
      case UInt8(ascii: "?"): parts.append(.one)
      case UInt8(ascii: "["):
        if let (set, next) = Self.set(bytes, from: index + 1) {
          parts.append(set)
          index = next
          continue
        }
        parts.append(.byte(bytes[index]))
      default: parts.append(.byte(bytes[index]))
      }
      index += 1
    }
    self.parts = parts
    if parts.count == 2, parts.last == .run, case .byte(let letter)? = parts.first,
      GcodeWord.isLetter(letter)
    {
      classicLetter = letter
    } else {
      classicLetter = nil
    }
  }

  /// Whether the whole `word` matches.
  func matches(_ word: GcodeWord) -> Bool {
    let bytes = Array(word.text.utf8)
    if let classicLetter { return word.isClassic && bytes.first == classicLetter }
    return Self.matches(parts[...], bytes[...])
  }

  // Linear: of several `*` only the last one is ever tried anew.
  private static func matches(_ parts: ArraySlice<Part>, _ bytes: ArraySlice<UInt8>) -> Bool {
    var part = parts.startIndex
    var byte = bytes.startIndex
    var retry: (part: Int, byte: Int)?
    while byte < bytes.endIndex {
      if part < parts.endIndex, parts[part] == .run {
        retry = (part + 1, byte)
        part += 1
      } else if part < parts.endIndex, fits(bytes[byte], parts[part]) {
        part += 1
        byte += 1
      } else if let last = retry {
        retry = (last.part, last.byte + 1)
        part = last.part
        byte = last.byte + 1
      } else {
        return false
      }
    }
    return parts[part...].allSatisfy { $0 == .run }
  }

  private static func fits(_ byte: UInt8, _ part: Part) -> Bool {
    switch part {
    case .run: false
    case .one: true
    case .byte(let wanted): byte == wanted
    case .set(let ranges, let isNegated): ranges.contains { $0.contains(byte) } != isNegated
    }
  }

  /// The set that begins at `start`, behind its bracket, and where it ends.
  private static func set(_ bytes: [UInt8], from start: Int) -> (Part, next: Int)? {
    var index = start
    let isNegated = index < bytes.count && bytes[index] == UInt8(ascii: "!")
    if isNegated { index += 1 }
    var ranges: [ClosedRange<UInt8>] = []
    while index < bytes.count {
      let low = bytes[index]
      if low == UInt8(ascii: "]"), !ranges.isEmpty {
        return (.set(ranges, isNegated: isNegated), index + 1)
      }
      if index + 2 < bytes.count, bytes[index + 1] == UInt8(ascii: "-"),
        bytes[index + 2] != UInt8(ascii: "]")
      {
        let high = bytes[index + 2]
        ranges.append(min(low, high)...max(low, high))
        index += 3
      } else {
        ranges.append(low...low)
        index += 1
      }
    }
    return nil
  }
}
