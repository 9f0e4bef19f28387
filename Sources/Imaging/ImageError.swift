/// Why a picture could not be read or made.
package struct ImageError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of obstacle it was.
  package enum Kind: String, Sendable {
    /// No picture, a broken one, or of a form that is not understood.
    case unreadable
    /// More bytes or pixels than allowed, or it cannot be made as small as wished.
    case tooLarge
  }
  /// The kind.
  package var kind: Kind
  /// What is wrong.
  package var description: String

  /// An error.
  package init(_ description: String, kind: Kind = .unreadable) {
    self.kind = kind
    self.description = description
  }
}
