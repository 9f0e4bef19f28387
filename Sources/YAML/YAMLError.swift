/// Why bytes are not a YAML document that we take, and where.
package struct YAMLError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong.
  package var problem: String
  /// What to do.
  package var remedy: String
  /// Where.
  package var position: YAMLPosition

  /// A problem at a place.
  package init(_ problem: String, remedy: String, position: YAMLPosition) {
    self.problem = problem
    self.remedy = remedy
    self.position = position
  }

  /// One line: `3:1: what is wrong; what to do`.
  package var description: String {
    "\(position.line):\(position.column): \(problem); \(remedy)"
  }
}
