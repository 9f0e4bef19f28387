internal import YAML

/// Takes single lines out of a configuration file's text and leaves every other byte as it is.
package enum ConfigurationText {
  /// `text` without the line on which the one member of `keys` stands.
  ///
  /// - Parameters:
  ///   - keys: the spellings of the setting's key, dots for nesting; the last part of one stands on the line.
  ///   - line: where it stands, from 1.
  /// - Returns: the new text; nil where the key does not stand alone on that line (a flow mapping, a scalar
  ///   of several lines, an anchor that others use), so that taking the line out would change more.
  package static func removing(
    _ keys: [String], onLine line: Int, from text: [UInt8]
  ) -> [UInt8]? {
    let names = Set(keys.compactMap { $0.split(separator: ".").last.map(String.init) })
    guard let root = try? YAMLNode.parse(text) else { return nil }
    var removed = 0
    let wanted = root.without(names, onLine: line, in: Lines(text), &removed)
    guard removed == 1, let wanted, let edited = cut(line: line, from: text),
      let reread = try? YAMLNode.parse(edited), reread.says(theSameAs: wanted)
    else { return nil }
    return edited
  }

  /// Cuts the line out; of a list item's first line, the dash stays.
  private static func cut(line: Int, from text: [UInt8]) -> [UInt8]? {
    let lines = Lines(text)
    guard let range = lines.range(of: line) else { return nil }
    var indent = range.lowerBound
    var end = indent
    while indent < range.upperBound {
      switch text[indent] {
      case UInt8(ascii: "-"): end = indent + 1
      case UInt8(ascii: " "): break
      default:
        return Array(text[..<end]) + (end > range.lowerBound ? lines.lineEnd(of: range) : [])
          + text[range.upperBound...]
      }
      indent += 1
    }
    return nil
  }

  /// The lines of a text, each with its line end.
  struct Lines {
    private let text: [UInt8]
    private var starts = [0]

    init(_ text: [UInt8]) {
      self.text = text
      for (index, byte) in text.enumerated() where byte == 0x0A { starts.append(index + 1) }
    }

    func range(of line: Int) -> Range<Int>? {
      guard line >= 1, line <= starts.count else { return nil }
      let start = starts[line - 1]
      let end = line < starts.count ? starts[line] : text.count
      return start < end ? start..<end : nil
    }

    func lineEnd(of range: Range<Int>) -> [UInt8] {
      let end = text[range].suffix(2)
      if end == [0x0D, 0x0A] { return [0x0D, 0x0A] }
      return end.last == 0x0A ? [0x0A] : []
    }

    /// Whether a flow collection opens at `position`.
    func opensFlow(at position: YAMLPosition) -> Bool {
      guard let range = range(of: position.line) else { return true }
      let characters = String(decoding: text[range], as: UTF8.self).unicodeScalars
      guard let character = characters.dropFirst(max(0, position.column - 1)).first else {
        return true
      }
      return character == "{" || character == "["
    }
  }
}

extension YAMLNode {
  /// This node without the scalar members `names` on `line` of a block mapping; counts what it left out.
  fileprivate func without(
    _ names: Set<String>, onLine line: Int, in lines: ConfigurationText.Lines, _ removed: inout Int
  ) -> YAMLNode? {
    var node = self
    switch content {
    case .scalar: break
    case .sequence(let items):
      node.content = .sequence(
        items.compactMap { $0.without(names, onLine: line, in: lines, &removed) })
    case .mapping(let members):
      var kept: [Member] = []
      for var member in members {
        if names.contains(member.key), member.keyPosition.line == line,
          member.value.position.line == line,
          case .scalar = member.value.content, !lines.opensFlow(at: position)
        {
          removed += 1
          continue
        }
        guard let value = member.value.without(names, onLine: line, in: lines, &removed) else {
          continue
        }
        member.value = value
        kept.append(member)
      }
      node.content = .mapping(kept)
    }
    return node
  }

  /// Whether both say the same, wherever it stands.
  func says(theSameAs other: YAMLNode) -> Bool {
    switch (content, other.content) {
    case (.scalar(let mine, let isPlain), .scalar(let theirs, let isTheirsPlain)):
      mine == theirs && isPlain == isTheirsPlain
    case (.sequence(let mine), .sequence(let theirs)):
      mine.count == theirs.count && zip(mine, theirs).allSatisfy { $0.says(theSameAs: $1) }
    case (.mapping(let mine), .mapping(let theirs)):
      mine.count == theirs.count
        && zip(mine, theirs).allSatisfy { $0.key == $1.key && $0.value.says(theSameAs: $1.value) }
    default: false
    }
  }
}
