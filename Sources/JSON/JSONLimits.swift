/// What a document may hold at most.
package struct JSONLimits: Sendable, Hashable {
  /// The deepest nesting that any limit allows: values are parsed, written and released by recursion.
  package static let deepest = 512

  /// The largest document, in bytes.
  package var bytes: Int
  /// The deepest nesting of arrays and objects; more than ``deepest`` counts as ``deepest``.
  package var depth: Int

  /// Limits of `bytes` bytes and `depth` levels.
  package init(bytes: Int = 64 << 20, depth: Int = 64) {
    self.bytes = bytes
    self.depth = depth
  }
}
