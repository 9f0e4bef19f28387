internal import CCrypto

/// A digest of bytes that come in pieces; one thread at a time.
@safe package final class RunningDigest {
  /// How the digest is made.
  package enum Algorithm: Sendable {
    /// SHA-256, 64 digits.
    case sha256
    /// MD5, 32 digits: no protection against intent, but what S3 and its kin compare.
    case md5
  }
  private let context: OpaquePointer

  /// A digest of nothing yet; nil where libcrypto is set up to refuse the algorithm (MD5 under FIPS).
  package init?(_ algorithm: Algorithm) {
    guard let context = unsafe EVP_MD_CTX_new() else { return nil }
    unsafe self.context = unsafe context
    let method = unsafe algorithm == .sha256 ? EVP_sha256() : EVP_md5()
    guard unsafe EVP_DigestInit_ex(context, method, nil) == 1 else { return nil }
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  /// Takes the next bytes.
  package func update(_ bytes: [UInt8]) {
    // Cannot fail once it has begun, and before it is finished.
    _ = unsafe EVP_DigestUpdate(context, bytes, bytes.count)
  }

  /// The digest of all bytes so far, as lower-case hexadecimal digits; more may follow.
  ///
  /// - Returns: nil where memory has run out.
  package func hex() -> String? {
    guard let copy = unsafe EVP_MD_CTX_new() else { return nil }
    defer { unsafe EVP_MD_CTX_free(copy) }
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    guard unsafe EVP_MD_CTX_copy_ex(copy, context) == 1,
      unsafe EVP_DigestFinal_ex(copy, &digest, &length) == 1
    else { return nil }
    return Digest.hex(Array(digest.prefix(Int(length))))
  }
}
