internal import YAML

extension ConfigurationText {
  /// What became of a setting that was to be added.
  enum Addition: Equatable {
    /// The text with it.
    case added([UInt8])
    /// It stands there already, and stays as it is.
    case present
    /// The section is written in a way in which nothing can be added without changing more.
    case impossible
  }

  /// `text` with one more key in one of its sections, which is made where it is missing; every other byte stays as it is.
  ///
  /// - Parameters:
  ///   - key: section and key: `control.health_listen`.
  ///   - value: as it is written in YAML, on one line.
  static func adding(_ key: String, _ value: String, to text: [UInt8]) -> Addition {
    guard let dot = key.firstIndex(of: "."), let root = try? YAMLNode.parse(text),
      case .mapping(let members) = root.content
    else { return .impossible }
    let section = String(key[..<dot])
    let name = String(key[key.index(after: dot)...])
    let line = Array("\(name): \(value)".utf8)
    let lines = Lines(text)
    let isWindows = text.firstIndex(of: 0x0A).map { $0 > 0 && text[$0 - 1] == 0x0D } ?? false
    let lineEnd: [UInt8] = isWindows ? [0x0D, 0x0A] : [0x0A]
    var edited: [UInt8]
    if let member = members.first(where: { $0.key == section }) {
      guard case .mapping(let present) = member.value.content else { return .impossible }
      if present.contains(where: { $0.key == name }) { return .present }
      guard let first = present.first, first.keyPosition.line > member.keyPosition.line,
        let range = lines.range(of: first.keyPosition.line)
      else { return .impossible }
      let indent = text[range].prefix { $0 == UInt8(ascii: " ") }
      edited = Array(text[..<range.lowerBound])
      edited += indent
      edited += line
      edited += lineEnd
      edited += text[range.lowerBound...]
    } else {
      edited = text
      if let last = text.last, last != 0x0A { edited += lineEnd }
      edited += Array("\(section):".utf8)
      edited += lineEnd
      edited += [UInt8(ascii: " "), UInt8(ascii: " ")]
      edited += line
      edited += lineEnd
    }
    guard says(edited, members, andIn: section, name) else { return .impossible }
    return .added(edited)
  }

  /// Whether `edited` says what `members` say, and one scalar `name` more in `section`.
  private static func says(
    _ edited: [UInt8], _ members: [YAMLNode.Member], andIn section: String, _ name: String
  ) -> Bool {
    guard let root = try? YAMLNode.parse(edited), case .mapping(let reread) = root.content else {
      return false
    }
    var remaining: [YAMLNode.Member] = []
    var additions = 0
    for var member in reread {
      if member.key == section, case .mapping(var inner) = member.value.content {
        additions += inner.count { $0.key == name }
        inner.removeAll { $0.key == name }
        member.value.content = .mapping(inner)
        // A section that had to be made for it.
        if inner.isEmpty, !members.contains(where: { $0.key == section }) { continue }
      }
      remaining.append(member)
    }
    return additions == 1 && remaining.count == members.count
      && zip(remaining, members).allSatisfy {
        $0.key == $1.key && $0.value.says(theSameAs: $1.value)
      }
  }
}
