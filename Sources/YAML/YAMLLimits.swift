/// What a file may hold at most.
package struct YAMLLimits: Sendable {
  /// The largest file, in bytes.
  package var bytes: Int
  /// The deepest nesting of sequences and mappings.
  package var depth: Int
  /// The most nodes (keys, values, sequences, mappings), aliases expanded.
  package var nodes: Int

  /// Limits for a file.
  package init(bytes: Int = 1 << 20, depth: Int = 32, nodes: Int = 20_000) {
    self.bytes = bytes
    self.depth = depth
    self.nodes = nodes
  }
}
