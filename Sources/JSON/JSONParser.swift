extension JSONValue {
  /// Parses a whole document: strict about UTF-8, surrogates, depth and trailing bytes; of repeated
  /// keys the last wins.
  ///
  /// - Throws: `JSONError` with the offset of the first offending byte.
  package init(
    parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()
  ) throws(JSONError) {
    try self.init(parsing: bytes.span, limits: limits)
  }

  /// Parses a whole document out of borrowed bytes; as ``init(parsing:limits:)-([UInt8],_)``.
  package init(
    parsing bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()
  ) throws(JSONError) {
    guard bytes.count <= limits.bytes else {
      throw JSONError(problem: "more than \(limits.bytes) bytes", offset: limits.bytes)
    }
    var parser = JSONParser(depthLimit: min(limits.depth, JSONLimits.deepest))
    self = try parser.document(bytes)
  }
}

/// A recursive-descent parser (RFC 8259). The bytes are an argument of every step, since a span
/// cannot be stored.
struct JSONParser {
  /// The offset of the next byte.
  var position = 0
  private let depthLimit: Int
  // Elements and members of unfinished containers, innermost last. A finished container takes its
  // own off the end and so gets storage of exactly its size.
  private var elements: [JSONValue] = []
  private var members: [JSONObject.Member] = []

  init(depthLimit: Int) { self.depthLimit = depthLimit }

  /// The one value of a document, with nothing but white space around it.
  mutating func document(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
    skipSpace(bytes)
    let value = try value(bytes, depth: 0)
    skipSpace(bytes)
    guard position == bytes.count else { throw error("something follows the document") }
    return value
  }

  private mutating func value(
    _ bytes: Span<UInt8>, depth: Int
  ) throws(JSONError) -> JSONValue {
    guard position < bytes.count else { throw error("the document ends too early") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return try object(bytes, depth: depth + 1)
    case UInt8(ascii: "["): return try array(bytes, depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string(bytes))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return .number(try number(bytes))
    case UInt8(ascii: "t"):
      try word("true", bytes)
      return .bool(true)
    case UInt8(ascii: "f"):
      try word("false", bytes)
      return .bool(false)
    case UInt8(ascii: "n"):
      try word("null", bytes)
      return .null
    default: throw error("no value begins like this")
    }
  }

  private mutating func array(
    _ bytes: Span<UInt8>, depth: Int
  ) throws(JSONError) -> JSONValue {
    try checkDepth(depth)
    position += 1
    skipSpace(bytes)
    if take(UInt8(ascii: "]"), bytes) { return .array([]) }
    let first = elements.count
    while true {
      let element = try value(bytes, depth: depth)
      elements.append(element)
      skipSpace(bytes)
      if take(UInt8(ascii: ","), bytes) {
        skipSpace(bytes)
      } else if take(UInt8(ascii: "]"), bytes) {
        break
      } else {
        throw unexpected("a comma or ] is missing in an array", bytes)
      }
    }
    let own = Array(elements[first...])
    elements.removeSubrange(first...)
    return .array(own)
  }

  private mutating func object(
    _ bytes: Span<UInt8>, depth: Int
  ) throws(JSONError) -> JSONValue {
    try checkDepth(depth)
    position += 1
    skipSpace(bytes)
    if take(UInt8(ascii: "}"), bytes) { return .object(JSONObject()) }
    let first = members.count
    while true {
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw unexpected("a key is missing in an object", bytes)
      }
      let key = try string(bytes)
      skipSpace(bytes)
      guard take(UInt8(ascii: ":"), bytes) else {
        throw unexpected("a colon is missing after a key", bytes)
      }
      skipSpace(bytes)
      let value = try value(bytes, depth: depth)
      members.append((key, value))
      skipSpace(bytes)
      if take(UInt8(ascii: ","), bytes) {
        skipSpace(bytes)
      } else if take(UInt8(ascii: "}"), bytes) {
        break
      } else {
        throw unexpected("a comma or } is missing in an object", bytes)
      }
    }
    let own = JSONObject(uniquing: members[first...])
    members.removeSubrange(first...)
    return .object(own)
  }

  mutating func word(_ word: StaticString, _ bytes: Span<UInt8>) throws(JSONError) {
    let spelling = word.description.utf8
    for character in spelling {
      guard take(character, bytes) else { throw unexpected("\(word) is misspelled", bytes) }
    }
  }

  func checkDepth(_ depth: Int) throws(JSONError) {
    guard depth <= depthLimit else { throw error("nested deeper than \(depthLimit) levels") }
  }

  mutating func skipSpace(_ bytes: Span<UInt8>) {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  /// Steps over `byte` when it comes next.
  mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  /// An error here, or at `offset`.
  func error(_ problem: String, at offset: Int? = nil) -> JSONError {
    JSONError(problem: problem, offset: offset ?? position)
  }

  /// `problem`, unless it is only that the document was cut off.
  func unexpected(_ problem: String, _ bytes: Span<UInt8>) -> JSONError {
    error(position < bytes.count ? problem : "the document ends too early")
  }
}
