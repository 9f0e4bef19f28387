/// What a file may hold at most.
package struct YAMLLimits: Sendable {
  /// The largest file, in bytes.
  package var bytes: Int
  /// The deepest nesting.
  package var depth: Int
  /// The most nodes, aliases expanded.
  package var nodes: Int
  /// Limits for a file.
  package init(bytes: Int = 1 << 20, depth: Int = 32, nodes: Int = 20_000) {
    self.bytes = bytes
    self.depth = depth
    self.nodes = nodes
  }
}

/// Why bytes are not a YAML document that we take, and where.
package struct YAMLError: Error, Sendable {
  /// What is wrong; what to do.
  package var problem: String
  /// Where.
  package var position: YAMLPosition
  /// A problem at a place.
  package init(problem: String, position: YAMLPosition) {
    self.problem = problem
    self.position = position
  }
}

extension YAMLNode {
  /// Parses one document of UTF-8 text; nil when it is empty (comments only).
  package static func parse(
    _ bytes: [UInt8], limits: YAMLLimits = YAMLLimits()
  ) throws(YAMLError) -> YAMLNode? { nil }
}
