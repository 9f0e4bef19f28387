package import Networking

extension HTTPField {
  /// `Authorization: Bearer …`.
  package static func bearer(_ token: Secret) -> HTTPField {
    HTTPField("Authorization", "Bearer \(token.revealed)")
  }

  /// `Content-Type: application/json`.
  package static let json = HTTPField("Content-Type", "application/json")

  /// Whether a field can carry `value` whole: visible ASCII without blanks, at least one character.
  ///
  /// For tokens and ids, from a file or from a cloud: a line break in one would write further fields.
  package static func canCarry(_ value: String) -> Bool {
    !value.isEmpty && value.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}
