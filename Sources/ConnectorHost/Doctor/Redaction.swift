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
  init(registry: [any ConnectorBackend.Type], configuration: Configuration?) {
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
    secrets = (values + [key].compactMap(\.self)).filter { $0.count >= Self.shortest }
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
    let isFlow = value.contains { "{[&*|>".contains($0) }
    if harmless.contains(String(key)) {
      let bare = value.split(separator: "#").first.map(String.init) ?? ""
      if !isFlow { return ("\(head)\(key):\(value.hasPrefix(" #") ? "" : bare)", true) }
      return ("\(head)\(key): \(Self.mark)", false)
    }
    return ("\(head)\(key): \(Self.mark)", false)
  }

  /// Any text: known secrets, and what stands behind the question mark or before the @ of an address, are taken out.
  func text(_ text: String) -> String {
    var text = text
    for secret in secrets { text = text.replacing(text: secret, with: Self.mark) }
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { Self.withoutAddressSecrets($0) }.joined(separator: "\n")
  }

  private static func withoutAddressSecrets(_ line: Substring) -> String {
    var result = ""
    var rest = line
    while let scheme = rest.firstRange(ofText: "://") {
      result += rest[..<scheme.upperBound]
      rest = rest[scheme.upperBound...]
      var address = rest.prefix { !" \"'<>,;)".contains($0) }
      rest = rest[address.endIndex...]
      let authority = address.prefix { $0 != "/" && $0 != "?" }
      if let at = authority.lastIndex(of: "@") {
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
}
