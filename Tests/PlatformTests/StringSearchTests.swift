import Platform
import Testing

@Suite("Searching text") struct StringSearchTests {
  @Test(
    "finds what stands there, and nothing else",
    arguments: [
      ("abcabd", "abd", true), ("abc", "abcd", false), ("", "a", false), ("a", "", true),
      ("aab", "ab", true), ("é", "e", false), ("straße", "ß", true),
    ])
  func containing(text: String, wanted: String, isThere: Bool) {
    #expect(text.contains(text: wanted) == isThere)
  }

  @Test(
    "replaces from left to right without overlaps",
    arguments: [
      ("aaa", "aa", "b", "ba"), ("a|b|c", "|", "\\|", "a\\|b\\|c"), ("x", "", "y", "x"),
      ("", "a", "b", ""), ("abab", "ab", "", ""),
    ])
  func replacing(text: String, wanted: String, replacement: String, expected: String) {
    #expect(text.replacing(text: wanted, with: replacement) == expected)
  }
}
