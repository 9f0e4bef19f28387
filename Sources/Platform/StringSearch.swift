// Search and replacement of text. The standard library's own come with the regex engine
// (`_StringProcessing`), which costs more memory than all of our code.

extension Collection<UInt8> {
  /// Where `wanted` first stands in these bytes; nil when it does not. An empty one is found at the start.
  package func firstRange(ofBytes wanted: [UInt8]) -> Range<Index>? {
    var start = startIndex
    while true {
      var position = start
      var matched = 0
      while matched < wanted.count, position < endIndex, self[position] == wanted[matched] {
        matched += 1
        formIndex(after: &position)
      }
      if matched == wanted.count { return start..<position }
      if start == endIndex { return nil }
      formIndex(after: &start)
    }
  }
}

extension StringProtocol {
  /// Where `text` first stands in this string, compared byte by byte; nil when it does not.
  package func firstRange(ofText text: some StringProtocol) -> Range<Index>? {
    utf8.firstRange(ofBytes: Array(text.utf8))
  }

  /// Whether `text` stands in this string, compared byte by byte.
  package func contains(text: some StringProtocol) -> Bool { firstRange(ofText: text) != nil }

  /// This string with `replacement` wherever `text` stands, from left to right without overlaps.
  package func replacing(text: some StringProtocol, with replacement: String) -> String {
    guard !text.isEmpty else { return String(self) }
    var result = ""
    var rest = self[...]
    while let found = rest.firstRange(ofText: text) {
      result += rest[..<found.lowerBound]
      result += replacement
      rest = rest[found.upperBound...]
    }
    return result + rest
  }
}
