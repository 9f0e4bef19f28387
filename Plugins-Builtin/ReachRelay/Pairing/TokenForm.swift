/// What a token may look like.
enum TokenForm {
  /// Whether a header field can carry `token`: printable ASCII without spaces. A line break in it
  /// would let the relay write further header fields.
  static func isUsable(_ token: String) -> Bool {
    !token.isEmpty && token.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}
