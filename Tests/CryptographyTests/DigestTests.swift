import Cryptography
import Foundation
import Testing

@Suite("Digest") struct DigestTests {
  @Test(
    "SHA-256 agrees with published vectors",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ])
  func vectors(text: String, expected: String) {
    #expect(Digest.sha256Hex(Array(text.utf8)) == expected)
  }

  @Test("Digests in a loop do not let the process grow")
  func leaks() {
    let before = residentPages()
    for number in 0..<20_000 { _ = Digest.sha256Hex(Array("\(number)".utf8)) }
    #expect(residentPages() - before < 1_000)
  }
}

private func residentPages() -> Int {
  let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
  return text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
}
