internal import ConnectorKit

/// What a value must look like, in words: for remedies and for the reference.
struct ValueForm: CustomStringConvertible {
  /// `a time from 1s to 1h, such as 30s`
  let description: String

  init(_ key: ConfigurationKey) {
    let unit = key.declaration.unit.map { " \($0)" } ?? ""
    switch key.form {
    case .permissions: description = "a level or a list of permissions"
    case .name: description = "letters, digits, '.', '_' and '-', a letter or digit first"
    case .listenAddress:
      description = "a numeric address and a port such as 127.0.0.1:7180 or [::1]:7180, or off"
    case .moonraker: description = "http://host:7125 or unix:/path/to/moonraker.sock"
    case .words(let words): description = "a list of some of " + words.joined(separator: ", ")
    case .proxy: description = "http://host:port or socks5://host:port, or \"\" for none"
    case .declared:
      switch key.declaration.kind {
      case .string: description = "a text"
      case .choice(let words): description = "one of " + words.joined(separator: ", ")
      case .integer(let range) where range.count == 1: description = "\(range.lowerBound)"
      case .integer(let range):
        description = "a whole number from \(range.lowerBound) to \(range.upperBound)\(unit)"
      case .number(let range):
        description = "a number from \(range.lowerBound) to \(range.upperBound)\(unit)"
      case .boolean: description = "true or false, without quotes"
      case .duration(let range):
        description =
          "a time from \(DurationText.describe(range.lowerBound)) to \(DurationText.describe(range.upperBound)), in seconds or as 500ms, 30s, 5m, 1h"
      case .url(let schemes):
        description = schemes.map { "\($0)://host" }.joined(separator: " or ")
      case .path: description = "a path"
      case .stringList: description = "a list such as [a, b]"
      }
    }
  }
}
