internal import YAML

extension ConfigurationText {
  /// `text` with one more entry at the end of `backends`; every other byte stays as it is.
  ///
  /// - Parameter entry: the entry's lines without the dash and without indentation.
  /// - Returns: nil where `backends` is not written as a block list, or the text is too odd to be sure.
  static func appending(entry: [String], to text: [UInt8]) -> [UInt8]? {
    guard let root = try? YAMLNode.parse(text), case .mapping(let members) = root.content else {
      return nil
    }
    let isWindows = text.firstIndex(of: 0x0A).map { $0 > 0 && text[$0 - 1] == 0x0D } ?? false
    let lineEnd: [UInt8] = isWindows ? [0x0D, 0x0A] : [0x0A]
    let lines = Lines(text)
    let place: (offset: Int, indent: Int)?
    let backends = members.first { $0.key == "backends" }
    if let backends {
      place = end(of: backends, before: members, in: lines, text)
    } else {
      place = (text.count, 2)
    }
    guard let place else { return nil }
    var added: [UInt8] = []
    if place.offset > 0, text[place.offset - 1] != 0x0A { added += lineEnd }
    if backends == nil { added += Array("backends:".utf8) + lineEnd }
    let blanks = String(repeating: " ", count: place.indent)
    for (number, line) in entry.enumerated() {
      added += Array("\(blanks)\(number == 0 ? "- " : "  ")\(line)".utf8) + lineEnd
    }
    let edited = Array(text[..<place.offset]) + added + text[place.offset...]
    return isSame(members, in: edited) ? edited : nil
  }

  /// Where the last item's last line ends, and how far the dashes are indented.
  private static func end(
    of backends: YAMLNode.Member, before members: [YAMLNode.Member], in lines: Lines,
    _ text: [UInt8]
  ) -> (offset: Int, indent: Int)? {
    let first = backends.keyPosition.line
    guard case .sequence(let items) = backends.value.content, let item = items.first,
      let range = lines.range(of: item.position.line)
    else { return nil }
    let indent = text[range].prefix { $0 == UInt8(ascii: " ") }.count
    guard text[range].dropFirst(indent).first == UInt8(ascii: "-") else { return nil }
    let next = members.map(\.keyPosition.line).filter { $0 > first }.min()
    var line = first
    var end: Int?
    while let range = lines.range(of: line), next.map({ line < $0 }) ?? true {
      let content = text[range].drop { $0 == UInt8(ascii: " ") }.first
      let isEmpty = content == 0x0A || content == 0x0D || content == UInt8(ascii: "#")
      if !isEmpty && content != nil { end = range.upperBound }
      line += 1
    }
    return end.map { ($0, indent) }
  }

  /// Whether `edited` says what `members` say, and one item more in `backends`.
  private static func isSame(_ members: [YAMLNode.Member], in edited: [UInt8]) -> Bool {
    guard let root = try? YAMLNode.parse(edited), case .mapping(let reread) = root.content else {
      return false
    }
    let others = { (members: [YAMLNode.Member]) in members.filter { $0.key != "backends" } }
    let items = { (members: [YAMLNode.Member]) -> [YAMLNode] in
      guard
        case .sequence(let items)? = members.first(where: { $0.key == "backends" })?.value.content
      else { return [] }
      return items
    }
    let (former, new) = (items(members), items(reread))
    return others(members).count == others(reread).count
      && zip(others(members), others(reread)).allSatisfy {
        $0.key == $1.key && $0.value.says(theSameAs: $1.value)
      } && new.count == former.count + 1
      && zip(former, new).allSatisfy { $0.says(theSameAs: $1) }
  }
}
