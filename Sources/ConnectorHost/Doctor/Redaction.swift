internal import ConnectorKit
internal import Platform

/// Takes out of a text what others must not read. Pure.
struct Redaction: Sendable {
  /// What stands where a secret stood.
  static let mark = "<removed>"
  /// Shorter texts are no secrets that anybody could find again.
  private static let shortest = 4

  private let secrets: [String]
  private let harmless: Set<String>

  /// - Parameters:
  ///   - registry: the connectors, for the keys whose values may be shown.
  ///   - configuration: the file's secrets, which are taken out wherever they stand; nil where it has errors.
  ///   - beside: further secrets.
  init(
    registry: [any ConnectorBackend.Type], configuration: Configuration?, beside: Set<String> = []
  ) {
    let declared =
      HostSettings.sections.flatMap(\.keys) + HostSettings.Top.keys
      + registry.flatMap { HostSettings.Entry.keys(of: $0.descriptor) }
    var harmless: Set<String> = ["backends"]
    harmless.formUnion(HostSettings.sections.map(\.name))
    for key in declared where !key.declaration.isSecret {
      // `webcam.interval` stands as a section and a key within it.
      for part in key.declaration.key.split(separator: ".") { harmless.insert(String(part)) }
    }
    for key in declared where key.declaration.isSecret {
      let parts = key.declaration.key.split(separator: ".").map(String.init)
      for name in parts.suffix(1) + key.declaration.aliases { harmless.remove(name) }
      // The twin names a file, which is no secret.
      if let last = parts.last { harmless.insert("\(last)_file") }
    }
    self.harmless = harmless
    let values = (configuration?.backends ?? []).flatMap { entry in
      entry.settings.entries.values.compactMap { setting -> String? in
        if case .secret(let secret) = setting.value { secret.revealed } else { nil }
      }
    }
    let key = configuration?.printer.apiKey?.revealed
    secrets = beside.union(values).union([key].compactMap(\.self))
      .filter { $0.count >= Self.shortest }
      .sorted { $0.count > $1.count }
  }

  /// A configuration file, line by line: of keys that nobody has declared harmless only the name stays, and no comment
  /// does, since old secrets like to stand there.
  func configuration(_ text: String) -> String {
    var hidden: Int?
    var lines: [String] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let depth = line.prefix { $0 == " " }.count
      let content = line.dropFirst(depth)
      guard !content.isEmpty, !content.hasPrefix("#") else { continue }
      if let limit = hidden, depth > limit { continue }
      hidden = nil
      let (shown, isWhole) = shown(content)
      if !isWhole { hidden = depth }
      lines.append(String(repeating: " ", count: depth) + shown)
    }
    return self.text(lines.map { $0 + "\n" }.joined())
  }

  /// What may be shown of a line, and whether the lines below it may be shown as well.
  private func shown(_ content: Substring) -> (String, isWhole: Bool) {
    var rest = content
    var head = ""
    while rest.hasPrefix("- ") {
      head += "- "
      rest = rest.dropFirst(2).drop { $0 == " " }
    }
    guard let colon = rest.firstIndex(of: ":") else {
      // An item of a list: a macro, a tag, or a secret under a key that is written wrongly.
      return (head + Self.mark, true)
    }
    let key = rest[..<colon]
    let value = rest[rest.index(after: colon)...]
    let isFlow = value.contains { "{[]}&*|>".contains($0) } && !value.contains(text: "://")
    if harmless.contains(String(key)) {
      let bare = value.split(separator: "#").first.map(String.init) ?? ""
      if !isFlow { return ("\(head)\(key):\(value.hasPrefix(" #") ? "" : bare)", true) }
      return ("\(head)\(key): \(Self.mark)", false)
    }
    return ("\(head)\(key): \(Self.mark)", false)
  }

  /// Any text: known secrets, what stands behind the question mark or before the @ of an address, and what a word such
  /// as `token` or `Bearer` announces, are taken out.
  func text(_ text: String) -> String {
    var text = text
    for secret in secrets { text = text.replacing(text: secret, with: Self.mark) }
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { Self.withoutAnnounced(Self.withoutAddressSecrets($0)) }.joined(separator: "\n")
  }

  /// An address ends at white space or a quotation mark: all else may stand in a password.
  private static func withoutAddressSecrets(_ line: Substring) -> String {
    var result = ""
    var rest = line
    while let scheme = rest.firstRange(ofText: "://") {
      result += rest[..<scheme.upperBound]
      rest = rest[scheme.upperBound...]
      var address = rest.prefix { !" \t\"".contains($0) }
      rest = rest[address.endIndex...]
      let query = address.firstIndex(of: "?")
      if let at = address[..<(query ?? address.endIndex)].lastIndex(of: "@") {
        result += mark
        address = address[at...]
      } else if let query, let at = address[query...].lastIndex(of: "@") {
        // A password with a question mark, or a query with an @: neither is shown.
        result += mark
        address = address[at...]
      }
      if let question = address.firstIndex(of: "?") {
        result += "\(address[..<question])?\(mark)"
      } else {
        result += address
      }
    }
    return result + rest
  }

  /// What announces a secret; behind all but the last a colon or an equals sign must follow.
  private static let announcements = [
    "token", "api_key", "api-key", "apikey", "secret", "password", "passwd", "cookie", "bearer",
  ]

  private static func withoutAnnounced(_ line: String) -> String {
    let bytes = Array(line.utf8)
    let small = bytes.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
    let lower = String(decoding: small, as: UTF8.self)
    // Nearly every line: nothing to do.
    guard announcements.contains(where: { lower.contains(text: $0) }) else { return line }
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      guard
        let word = announcements.first(where: { small[index...].starts(with: $0.utf8) }),
        let value = value(after: index + word.utf8.count, in: bytes, isBare: word == "bearer")
      else {
        result.append(bytes[index])
        index += 1
        continue
      }
      result += bytes[index..<value.lowerBound] + Array(mark.utf8)
      index = value.upperBound
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Where the value stands that an announcement up to `start` is followed by; nil where none is.
  private static func value(after start: Int, in bytes: [UInt8], isBare: Bool) -> Range<Int>? {
    var begin = start
    var hasSign = isBare
    while begin < bytes.count {
      switch bytes[begin] {
      case UInt8(ascii: ":"), UInt8(ascii: "="): hasSign = true
      case UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "'"): break
      default:
        let end =
          bytes[begin...].firstIndex { " \"',;&)}<>".utf8.contains($0) } ?? bytes.count
        guard hasSign, end > begin else { return nil }
        return begin..<end
      }
      begin += 1
    }
    return nil
  }
}
