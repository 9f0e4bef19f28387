/// Why a picture could not be read or made.
package struct ImageError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong.
  package var description: String
  /// An error.
  package init(_ description: String) { self.description = description }
}
