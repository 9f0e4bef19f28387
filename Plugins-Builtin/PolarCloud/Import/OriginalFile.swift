/// The original's `polar_cloud.conf`: an INI file with one section.
struct OriginalFile: Sendable, Hashable {
  private let values: [String: String]

  /// Reads a file; nil where it has no section `[polar_cloud]`.
  init?(_ text: [UInt8]) {
    guard let text = String(validating: text, as: UTF8.self) else { return nil }
    var section = ""
    var hasSection = false
    var values: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      let line = Self.trimmed(line)
      guard let first = line.first, first != "#", first != ";" else { continue }
      if first == "[", line.last == "]" {
        section = line.dropFirst().dropLast().lowercased()
        hasSection = hasSection || section == "polar_cloud"
        continue
      }
      guard section == "polar_cloud", let sign = line.firstIndex(where: { $0 == "=" || $0 == ":" })
      else { continue }
      let key = Self.trimmed(line[..<sign]).lowercased()
      // The original's reader takes two of them for one.
      values[key] = String(Self.trimmed(line[line.index(after: sign)...])).replacing(twice: "%")
    }
    guard hasSection else { return nil }
    self.values = values
  }

  /// What stands under `key`; nil where that is nothing.
  subscript(key: String) -> String? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

  /// Whether `key` is on, as the original reads it; nil where it says nothing.
  func truth(_ key: String) -> Bool? {
    self[key].map { ["1", "true", "yes", "on"].contains($0.lowercased()) }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let text = text.drop { $0.isWhitespace }
    guard let last = text.lastIndex(where: { !$0.isWhitespace }) else {
      return text[text.endIndex...]
    }
    return text[...last]
  }
}

extension String {
  /// With each two of a character made one.
  fileprivate func replacing(twice character: Character) -> String {
    var result = ""
    var isSecond = false
    for next in self {
      if next == character, isSecond {
        isSecond = false
        continue
      }
      isSecond = next == character
      result.append(next)
    }
    return result
  }
}
