/// The original agent's `.env`: lines of `KEY=value`.
struct OriginalEnvironment: Sendable, Hashable {
  private let values: [String: String]

  /// Reads a file; nil where no line of it is about the agent.
  init?(_ text: [UInt8]) {
    guard let text = String(validating: text, as: UTF8.self) else { return nil }
    var values: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      let line = Self.trimmed(line)
      guard let sign = line.firstIndex(of: "="), line.first != "#" else { continue }
      let key = String(Self.trimmed(line[..<sign]))
      let value = Self.unquoted(Self.trimmed(line[line.index(after: sign)...]))
      // The first one that says something counts, as for the agent.
      if !value.isEmpty, values[key] == nil { values[key] = value }
    }
    guard
      values.keys.contains(where: {
        $0.hasPrefix("REACH_LINK_") || $0 == "REACH_PRINTER_ID"
      })
    else { return nil }
    self.values = values
  }

  /// What stands under `key`; nil where that is nothing.
  subscript(key: String) -> String? { values[key] }

  private static func trimmed(_ text: Substring) -> Substring {
    let text = text.drop { $0.isWhitespace }
    guard let last = text.lastIndex(where: { !$0.isWhitespace }) else { return text }
    return text[...last]
  }

  /// The agent knows no quotes, but systemd, which reads such a file too, takes them off.
  private static func unquoted(_ text: Substring) -> String {
    guard text.count >= 2, let first = text.first, first == text.last, first == "\"" || first == "'"
    else { return String(text) }
    return String(text.dropFirst().dropLast())
  }
}
