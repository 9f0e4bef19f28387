/// A value inside of a document, not parsed yet: the document's bytes, shared, and where it stands in them.
///
/// For documents that hold something long: what is not asked for is never copied, and one bad element of an array does
/// not spoil the others. Its brackets, quotation marks, numbers and words have been checked; the text of its strings
/// (escapes, UTF-8) is only when it is read.
package struct JSONSlice: Sendable {
  /// What a value is, as its first character says.
  package enum Kind: Sendable, Hashable { case null, bool, number, string, array, object }

  private let bytes: [UInt8]
  private let range: Range<Int>

  private init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    self.range = range
  }

  /// A whole document.
  ///
  /// - Throws: `JSONError` with the offset of the first offending byte.
  package init(
    document bytes: [UInt8], limits: JSONLimits = JSONLimits()
  ) throws(JSONError) {
    guard bytes.count <= limits.bytes else {
      throw JSONError(problem: "more than \(limits.bytes) bytes", offset: limits.bytes)
    }
    var parser = JSONParser(depthLimit: min(limits.depth, JSONLimits.deepest))
    self.init(bytes, try parser.skipDocument(bytes.span))
  }

  /// How many bytes of the document it takes.
  package var count: Int { range.count }

  /// How many bytes the whole document takes, which this keeps in memory.
  package var documentCount: Int { bytes.count }

  /// The value with its own bytes only, so that the document need not be kept.
  package func detached() -> JSONSlice { JSONSlice(Array(bytes[range]), 0..<range.count) }

  /// What it is.
  package var kind: Kind {
    switch bytes[range.lowerBound] {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
    case UInt8(ascii: "n"): .null
    default: .number
    }
  }

  /// The value, parsed.
  ///
  /// - Throws: `JSONError`; its offset counts from the beginning of this value.
  package func value(limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
    try JSONValue(parsing: bytes.span.extracting(range), limits: limits)
  }

  /// The elements of an array; none where this is no array.
  package var elements: [JSONSlice] { elements(atMost: .max).first }

  /// The first elements of an array, and how many it has in all; none where this is no array.
  ///
  /// - Parameter most: so many are kept: millions of them would take far more memory than the document.
  package func elements(atMost most: Int) -> (first: [JSONSlice], count: Int) {
    var first: [JSONSlice] = []
    var count = 0
    forEachPart { _, value in
      if count < most { first.append(value) }
      count += 1
    }
    return (first, count)
  }

  /// The member `key` of an object; of several the last; nil where there is none.
  package subscript(key: String) -> JSONSlice? {
    guard kind == .object else { return nil }
    var found: JSONSlice?
    forEachPart { name, value in
      if let text = try? name?.value().string, JSONKey.areEqual(text, key) { found = value }
    }
    return found
  }

  /// Hands over the text of a string, unescaped, in pieces of at most `size` bytes and at least one; nothing where this
  /// is no string. What is not UTF-8 passes as it stands.
  ///
  /// - Throws: `JSONError` at a broken escape, and what `body` throws.
  package func forEachPiece(
    ofSize size: Int = 65_536, _ body: ([UInt8]) throws -> Void
  ) throws {
    guard kind == .string else { return }
    var parser = JSONParser(depthLimit: 1)
    parser.position = range.lowerBound + 1
    var piece: [UInt8] = []
    piece.reserveCapacity(size)
    while parser.position < range.upperBound - 1 {
      let end = min(range.upperBound - 1, parser.position + max(1, size - piece.count))
      try parser.unescape(bytes.span, until: end, to: &piece)
      if piece.count >= size {
        try body(piece)
        piece.removeAll(keepingCapacity: true)
      }
    }
    if !piece.isEmpty { try body(piece) }
  }

  /// Hands over the parts of a container, in order, with the keys of an object's.
  private func forEachPart(_ body: (JSONSlice?, JSONSlice) -> Void) {
    guard kind == .array || kind == .object else { return }
    let isObject = kind == .object
    var parser = JSONParser(depthLimit: JSONLimits.deepest)
    parser.position = range.lowerBound + 1
    // It has been checked as a whole, so nothing is thrown here.
    while let first = try? parser.skipNext(bytes.span) {
      if !isObject {
        body(nil, JSONSlice(bytes, first))
      } else if let second = try? parser.skipNext(bytes.span) {
        body(JSONSlice(bytes, first), JSONSlice(bytes, second))
      }
    }
  }
}
