/// Why an archive could not be made.
package struct ArchiveError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong.
  package var description: String
  /// An error.
  package init(_ description: String) { self.description = description }
}
