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
