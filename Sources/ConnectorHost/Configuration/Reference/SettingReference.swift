internal import ConnectorKit

/// One setting in the words of the reference: the listing, the tables and the annotated file show the same.
struct SettingReference {
  /// The key, dots for nesting.
  let key: String
  /// The twin that names a file with the secret; nil where it is no secret.
  let fileKey: String?
  /// What it does.
  let summary: String
  /// What a value looks like: `1s to 1h`, `true or false`.
  let values: String
  /// The default as it is written; nil where there is none.
  let defaultText: String?
  /// The example as it is written.
  let example: String?
  /// What a change of the file needs.
  let change: String
  /// The version that brought it.
  let since: String
  /// Whether an entry is refused without it.
  let isRequired: Bool
  /// Older spellings.
  let aliases: [String]

  init(_ key: ConfigurationKey) {
    let declaration = key.declaration
    self.key = declaration.key
    fileKey = declaration.isSecret ? declaration.key + "_file" : nil
    summary = declaration.summary
    values = Self.values(of: key)
    defaultText = declaration.defaultText.map { Self.written($0, as: declaration.kind) }
    example = declaration.example
    change =
      switch declaration.effect {
      case .live: "at once"
      case .restart: "restart"
      }
    since = declaration.since
    isRequired = declaration.isRequired
    aliases = declaration.aliases
  }

  private static func values(of key: ConfigurationKey) -> String {
    let unit = key.declaration.unit.map { " \($0)" } ?? ""
    switch key.form {
    case .permissions: return "a level, or a list of permissions"
    case .name: return "letters, digits, . _ -"
    case .listenAddress: return "address:port, or off"
    case .moonraker: return "http(s)://host:port or unix:/path"
    case .words(let words): return "list of: " + words.joined(separator: ", ")
    case .proxy: return "http or socks URL, or \"\""
    case .declared: break
    }
    switch key.declaration.kind {
    case .string(let limit):
      return key.declaration.isSecret ? "secret" : "text, up to \(limit) characters"
    case .choice(let words): return words.joined(separator: ", ")
    case .integer(let range): return "\(range.lowerBound) to \(range.upperBound)\(unit)"
    case .number(let range): return "\(range.lowerBound) to \(range.upperBound)\(unit)"
    case .boolean: return "true or false"
    case .duration(let range):
      return
        "\(DurationText.describe(range.lowerBound)) to \(DurationText.describe(range.upperBound))"
    case .url(let schemes): return schemes.joined(separator: " or ") + " URL"
    case .path: return "path"
    case .stringList: return "list of texts"
    }
  }

  /// The default as people would write it: times with their unit, empty texts visible.
  private static func written(_ text: String, as kind: SettingKind) -> String {
    switch kind {
    case .duration: DurationText.parse(text).map(DurationText.describe) ?? text
    case .string where text.isEmpty: "\"\""
    default: text
    }
  }
}
