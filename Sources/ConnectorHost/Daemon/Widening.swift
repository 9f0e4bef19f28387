internal import ConnectorKit
internal import Networking

/// What a new configuration allows that the former one did not, in words: the file may lie where every client of
/// Moonraker can write it.
enum Widening {
  /// One line per change: what, before and after.
  static func between(_ former: Configuration, _ new: Configuration) -> [String] {
    let old = Dictionary(
      former.backends.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    return new.backends.flatMap { entry in
      old[entry.name].map { between($0, entry).map { "\(entry.name): \($0)" } } ?? []
    }
  }

  private static func between(
    _ former: BackendConfiguration, _ new: BackendConfiguration
  ) -> [String] {
    var lines: [String] = []
    if !new.permissions.isSubset(of: former.permissions) {
      lines.append(change("permissions", former.permissionsText, new.permissionsText))
    }
    if new.isInsecure, !former.isInsecure { lines.append(change("insecure", "false", "true")) }
    if !Set(new.allowedMacros).isSubset(of: former.allowedMacros) {
      lines.append(change("allowed_macros", list(former.allowedMacros), list(new.allowedMacros)))
    }
    if !Set(new.allowedGcodePatterns).isSubset(of: former.allowedGcodePatterns) {
      lines.append(
        change(
          "allowed_gcode_patterns", list(former.allowedGcodePatterns),
          list(new.allowedGcodePatterns)))
    }
    if new.maximumCommandAge > former.maximumCommandAge {
      lines.append(
        change("max_command_age", "\(former.maximumCommandAge)", "\(new.maximumCommandAge)"))
    }
    guard ObjectIdentifier(new.connector) == ObjectIdentifier(former.connector) else {
      return lines
    }
    for declaration in new.connector.descriptor.settings where isWatched(declaration) {
      let before = former.settings.entries[declaration.key]?.value
      let after = new.settings.entries[declaration.key]?.value
      guard before != after else { continue }
      lines.append(
        change(declaration.key, text(before, declaration), text(after, declaration)))
    }
    return lines
  }

  /// URLs decide who is obeyed; keys that begin with `allow` decide what.
  private static func isWatched(_ declaration: SettingDeclaration) -> Bool {
    if case .url = declaration.kind { return true }
    return declaration.key.split(separator: ".").last?.hasPrefix("allow") ?? false
  }

  private static func text(_ value: SettingValue?, _ declaration: SettingDeclaration) -> String {
    if declaration.isSecret { return "<secret>" }
    switch value {
    case nil: return declaration.defaultText ?? "not set"
    case .secret?: return "<secret>"
    case .string(let text)?:
      // A URL may carry a password or a token: where it leads is enough.
      guard case .url = declaration.kind else { return text }
      return URLParts(text).map { $0.origin + $0.path } ?? "?"
    case .integer(let number)?: return "\(number)"
    case .number(let number)?: return "\(number)"
    case .boolean(let isOn)?: return "\(isOn)"
    case .duration(let duration)?: return "\(duration)"
    case .list(let items)?: return list(items)
    }
  }

  private static func list(_ items: [String]) -> String {
    "[\(items.joined(separator: ", "))]"
  }

  private static func change(_ key: String, _ before: String, _ after: String) -> String {
    "\(key) was \(before), is \(after)"
  }
}
