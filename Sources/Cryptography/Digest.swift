internal import CCrypto

/// Digests on OpenSSL's libcrypto.
package enum Digest {
  /// The SHA-256 of `bytes`, as 64 lower-case hexadecimal digits.
  package static func sha256Hex(_ bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    // Cannot fail with a digest that libcrypto always has and buffers of our own.
    let status = unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
    precondition(status == 1 && length == 32, "libcrypto has no SHA-256")
    return hex(digest)
  }

  /// `bytes` as lower-case hexadecimal digits.
  static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(2 * bytes.count)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}
