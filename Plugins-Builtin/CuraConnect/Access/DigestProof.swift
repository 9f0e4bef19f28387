internal import Cryptography

/// The proof in an `Authorization: Digest …` field.
struct DigestProof: Sendable, Hashable {
  var username: String
  var realm: String
  var nonce: String
  var uri: String
  /// The request's number under this nonce.
  var count: UInt32
  private var countText: String
  private var clientNonce: String
  private var response: String

  /// Reads a field's value; nil where something is missing or of another kind than `SHA-256` with `auth`.
  init?(_ authorization: String) {
    let scheme = "digest "
    guard authorization.utf8.count <= 2_048, authorization.lowercased().hasPrefix(scheme) else {
      return nil
    }
    let values = Self.values(authorization.dropFirst(scheme.count))
    guard let username = values["username"], let realm = values["realm"],
      let nonce = values["nonce"], let uri = values["uri"], let countText = values["nc"],
      let count = UInt32(countText, radix: 16), let clientNonce = values["cnonce"],
      let response = values["response"], values["qop"] == "auth",
      values["algorithm"]?.uppercased() == "SHA-256"
    else { return nil }
    self.username = username
    self.realm = realm
    self.nonce = nonce
    self.uri = uri
    self.count = count
    self.countText = countText
    self.clientNonce = clientNonce
    self.response = response
  }

  /// Whether whoever made it knows `key`.
  func isMade(with key: String, method: String) -> Bool {
    let first = Self.hash("\(username):\(realm):\(key)")
    let second = Self.hash("\(method):\(uri)")
    let expected = Self.hash("\(first):\(nonce):\(countText):\(clientNonce):auth:\(second)")
    // As long for a near miss as for any other.
    let (left, right) = (Array(expected.utf8), Array(response.lowercased().utf8))
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private static func hash(_ text: String) -> String { Digest.sha256Hex(Array(text.utf8)) }

  private static func values(_ text: Substring) -> [String: String] {
    var values: [String: String] = [:]
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty, values.count < 16 {
      let name = rest.prefix { $0 != UInt8(ascii: "=") }
      rest = rest.dropFirst(name.count + 1)
      let isQuoted = rest.first == UInt8(ascii: "\"")
      if isQuoted { rest.removeFirst() }
      let value = rest.prefix { $0 != UInt8(ascii: isQuoted ? "\"" : ",") }
      rest = rest.dropFirst(value.count + (isQuoted ? 1 : 0))
      rest = rest.drop { $0 == UInt8(ascii: ",") || $0 == 0x20 }
      let key = String(decoding: name.filter { $0 > 0x20 }, as: UTF8.self).lowercased()
      guard values[key] == nil else { return [:] }
      values[key] = String(decoding: value, as: UTF8.self)
    }
    return values
  }
}
