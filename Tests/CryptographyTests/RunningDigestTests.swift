import Cryptography
import Testing

@Suite("A running digest") struct RunningDigestTests {
  @Test(
    "agrees with the digest of the whole, however the pieces are cut", arguments: [1, 7, 64, 1_000])
  func pieces(size: Int) throws {
    let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let digest = try #require(RunningDigest(.sha256))
    for start in stride(from: 0, to: bytes.count, by: size) {
      digest.update(Array(bytes[start..<min(start + size, bytes.count)]))
      digest.update([])
    }
    #expect(digest.hex() == Digest.sha256Hex(bytes))
  }

  @Test(
    "agrees with published vectors of MD5",
    arguments: [
      ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
      ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    ])
  func md5(text: String, expected: String) throws {
    let digest = try #require(RunningDigest(.md5))
    digest.update(Array(text.utf8))
    #expect(digest.hex() == expected)
  }

  @Test("goes on after it was asked")
  func goesOn() throws {
    let digest = try #require(RunningDigest(.sha256))
    digest.update(Array("ab".utf8))
    #expect(digest.hex() == Digest.sha256Hex(Array("ab".utf8)))
    digest.update(Array("c".utf8))
    #expect(digest.hex() == Digest.sha256Hex(Array("abc".utf8)))
  }
}
