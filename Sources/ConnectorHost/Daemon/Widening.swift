internal import ConnectorKit
internal import Networking

/// What a new configuration allows that the former one did not, in words: the file may lie where every client of
/// Moonraker can write it.
enum Widening {
  /// One line per change: what, before and after.
  ///
  /// - Parameter switchedOn: entries that a person has just switched on: that they run now is no news, but what else has
  ///   changed about them is.
  static func between(
    _ former: Configuration, _ new: Configuration, switchedOn: Set<String> = []
  ) -> [String] {
    let old = Dictionary(
      former.backends.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    return daemon(former, new)
      + new.backends.filter(\.isEnabled).flatMap { entry in
        guard let old = old[entry.name], old.isEnabled || switchedOn.contains(entry.name),
          ObjectIdentifier(old.connector) == ObjectIdentifier(entry.connector)
        else {
          let type = entry.connector.descriptor.type
          return ["\(entry.name): is new, type \(type), permissions \(entry.permissionsText)"]
        }
        return between(old, entry).map { "\(entry.name): \($0)" }
      }
  }

  /// What concerns all: whom we trust, which printer is meant, who sees the page.
  private static func daemon(_ former: Configuration, _ new: Configuration) -> [String] {
    var lines: [String] = []
    func compare(_ key: String, _ before: String, _ after: String) {
      if before != after { lines.append(change(key, before, after)) }
    }
    compare("printer.moonraker", place(former.printer.moonraker), place(new.printer.moonraker))
    if former.printer.requireClearBed {
      compare("printer.require_clear_bed", "true", "\(new.printer.requireClearBed)")
    }
    compare("network.ca_file", former.network.caFile ?? "not set", new.network.caFile ?? "not set")
    compare(
      "network.proxy", former.network.proxy.map(place) ?? "not set",
      new.network.proxy.map(place) ?? "not set")
    compare(
      "control.listen", former.control.listen.map { "\($0)" } ?? "off",
      new.control.listen.map { "\($0)" } ?? "off")
    if former.control.pinPermissions {
      compare("control.pin_permissions", "true", "\(new.control.pinPermissions)")
    }
    if !new.control.macros.isSubset(of: former.control.macros) {
      compare("control.macros", words(former.control.macros), words(new.control.macros))
    }
    return lines
  }

  private static func words(_ macros: Set<MacroGrant>) -> String {
    list(MacroGrant.allCases.filter(macros.contains).map(\.rawValue))
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
    let (before, after) = (patterns(former), patterns(new))
    if !Set(after).isSubset(of: before) {
      lines.append(change("allowed_gcode_patterns", list(before), list(after)))
    }
    if new.maximumCommandAge > former.maximumCommandAge {
      lines.append(
        change("max_command_age", "\(former.maximumCommandAge)", "\(new.maximumCommandAge)"))
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

  /// The patterns in force, without the usual ones where these always are.
  private static func patterns(_ entry: BackendConfiguration) -> [String] {
    guard entry.connector.descriptor.patternsReplaceUsual, !entry.patternsReplaceUsual else {
      return entry.allowedGcodePatterns
    }
    return CommandPolicy.usualPatterns
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
      guard case .url = declaration.kind else { return text }
      return place(text)
    case .integer(let number)?: return "\(number)"
    case .number(let number)?: return "\(number)"
    case .boolean(let isOn)?: return "\(isOn)"
    case .duration(let duration)?: return "\(duration)"
    case .list(let items)?: return list(items)
    }
  }

  /// Where a URL leads, without the password or the token that it may carry.
  private static func place(_ url: String) -> String {
    URLParts(url).map { $0.origin + $0.path } ?? String(url.prefix { $0 != "@" && $0 != "?" })
  }

  private static func list(_ items: [String]) -> String {
    "[\(items.joined(separator: ", "))]"
  }

  private static func change(_ key: String, _ before: String, _ after: String) -> String {
    "\(key) was \(before), is \(after)"
  }
}
