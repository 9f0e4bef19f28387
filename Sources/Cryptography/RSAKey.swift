internal import CCrypto

/// An RSA key pair with which a printer proves who it is. Safe from any thread.
@safe package final class RSAKey: Sendable {
  /// Why a key cannot be had.
  package enum Defect: Error, Sendable, Hashable {
    /// The text is no private key in PEM, or one with a password.
    case unreadable
    /// It is a key of another kind than RSA.
    case notRSA
    /// It has fewer than 2048 bits, or more than 8192.
    case size(bits: Int)
    /// libcrypto refused, for want of memory or of random numbers.
    case failed
  }
  // Never changed once made; libcrypto locks what it caches inside.
  private nonisolated(unsafe) let key: OpaquePointer

  /// Makes a new key of 2048 bits.
  ///
  /// Takes an eighth of a second, up to half of one: not on the cooperative pool.
  ///
  /// - Throws: ``Defect`` (`failed`).
  package init() throws(Defect) {
    guard let key = unsafe uplink_make_rsa(2_048) else { throw .failed }
    unsafe self.key = unsafe key
  }

  /// Reads a private key: PKCS#8 or PKCS#1 in PEM, without a password.
  ///
  /// - Throws: ``Defect``.
  package init(pem: String) throws(Defect) {
    guard let key = unsafe Self.read(Array(pem.utf8)) else {
      ERR_clear_error()
      throw .unreadable
    }
    unsafe self.key = unsafe key
    guard unsafe EVP_PKEY_get_id(key) == EVP_PKEY_RSA else { throw .notRSA }
    let bits = Int(unsafe EVP_PKEY_get_bits(key))
    guard (2_048...8_192).contains(bits) else { throw .size(bits: bits) }
  }

  deinit { unsafe EVP_PKEY_free(key) }

  /// The private key as PKCS#8 in PEM, without a password; nil for want of memory.
  package var privatePEM: String? {
    unsafe Self.written { bio in unsafe uplink_write_private_key(bio, key) }
  }

  /// The public key as SubjectPublicKeyInfo in PEM, lines of 64 characters; nil for want of memory.
  package var publicPEM: String? {
    unsafe Self.written { bio in unsafe PEM_write_bio_PUBKEY(bio, key) }
  }

  /// The signature of `message`: RSASSA-PKCS1-v1_5 with SHA-256, as many bytes as the key has.
  ///
  /// - Returns: nil for want of memory.
  package func signature(of message: [UInt8]) -> [UInt8]? {
    guard let context = unsafe EVP_MD_CTX_new() else { return nil }
    defer { unsafe EVP_MD_CTX_free(context) }
    // PKCS1-v1_5 is what a fresh context of an RSA key uses.
    guard unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1 else { return nil }
    var length = 0
    guard unsafe EVP_DigestSign(context, nil, &length, message, message.count) == 1 else {
      return nil
    }
    var signature = [UInt8](repeating: 0, count: length)
    guard unsafe EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else {
      return nil
    }
    return Array(signature.prefix(length))
  }

  private static func read(_ text: [UInt8]) -> OpaquePointer? {
    unsafe text.withUnsafeBytes { bytes in
      // The BIO borrows the bytes: they have to stay until it has been read.
      guard unsafe !bytes.isEmpty,
        let bio = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count))
      else { return nil }
      defer { unsafe BIO_free_all(bio) }
      return unsafe uplink_read_private_key(bio)
    }
  }

  private static func written(_ write: (OpaquePointer) -> Int32) -> String? {
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { return nil }
    defer { unsafe BIO_free_all(bio) }
    guard unsafe write(bio) == 1 else { return nil }
    var start: UnsafeMutablePointer<CChar>?
    let count = unsafe uplink_memory_of(bio, &start)
    guard count > 0, let start = unsafe start else { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
    return unsafe String(decoding: bytes, as: UTF8.self)
  }
}
