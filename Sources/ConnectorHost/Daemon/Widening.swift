/// What a new configuration allows that the former one did not, in words: the file may lie where every client of
/// Moonraker can write it.
struct Widening: Sendable, Hashable {
  /// The entry that it concerns; nil: all of them.
  var entry: String?
  /// What, before and after; no secrets.
  var text: String

  /// One line per change: what, before and after.
  ///
  /// - Parameter switchedOn: entries that a person has switched on: that they run is no news, but what else has changed
  ///   about them is.
  static func between(
    _ former: Configuration, _ new: Configuration, switchedOn: Set<String> = []
  ) -> [String] {
    between(Trust(former), Trust(new), switchedOn: switchedOn).map(\.text)
  }

  /// One per change.
  static func between(
    _ former: Trust, _ new: Trust, switchedOn: Set<String>
  ) -> [Widening] {
    let old = Dictionary(
      former.entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    return daemon(former, new).map { Widening(entry: nil, text: $0) }
      + new.entries.filter(\.isEnabled).flatMap { entry -> [Widening] in
        guard let old = old[entry.name], old.isEnabled || switchedOn.contains(entry.name),
          old.type == entry.type
        else {
          let text =
            "\(entry.name): is new, type \(entry.type), permissions \(entry.permissionsText)"
          return [Widening(entry: entry.name, text: text)]
        }
        return between(old, entry).map {
          Widening(entry: entry.name, text: "\(entry.name): \($0)")
        }
      }
  }

  /// What concerns all: whom we trust, which printer is meant, who sees the page, where secrets lie.
  private static func daemon(_ former: Trust, _ new: Trust) -> [String] {
    var lines: [String] = []
    /// - Parameter isAny: whether less than before is told too: other places are trusted then.
    func compare(_ key: String, isAny: Bool = true) {
      // What the former program did not keep is not known, and no news.
      guard let before = former.host[key], let after = new.host[key],
        before.digest != after.digest, isAny || !after.digest.isEmpty
      else { return }
      lines.append(change(key, before, after))
    }
    compare("printer.moonraker")
    compare("printer.moonraker_http")
    compare("printer.api_key", isAny: false)
    if former.requiresClearBed, !new.requiresClearBed {
      lines.append(change("printer.require_clear_bed", "true", "false"))
    }
    compare("network.ca_file")
    compare("network.proxy")
    compare("control.listen")
    compare("control.health_listen", isAny: false)
    compare("control.token_file", isAny: false)
    compare("state_directory")
    compare("log.file", isAny: false)
    if former.pinsPermissions, !new.pinsPermissions {
      lines.append(change("control.pin_permissions", "true", "false"))
    }
    if let before = former.grants, let after = new.grants, !after.isSubset(of: before) {
      lines.append(change("control.macros", words(before), words(after)))
    }
    return lines
  }

  private static func words(_ grants: Set<String>) -> String {
    list(MacroGrant.allCases.map(\.rawValue).filter(grants.contains))
  }

  private static func between(_ former: Trust.Entry, _ new: Trust.Entry) -> [String] {
    var lines: [String] = []
    if !new.permissions.isSubset(of: former.permissions) {
      lines.append(change("permissions", former.permissionsText, new.permissionsText))
    }
    if new.isInsecure, !former.isInsecure { lines.append(change("insecure", "false", "true")) }
    if !Set(new.macros).isSubset(of: former.macros) {
      lines.append(change("allowed_macros", list(former.macros), list(new.macros)))
    }
    if !Set(new.patterns).isSubset(of: former.patterns) {
      lines.append(
        change("allowed_gcode_patterns", list(former.patterns), list(new.patterns)))
    }
    if new.commandAge > former.commandAge {
      lines.append(
        change(
          "max_command_age", "\(Duration.milliseconds(former.commandAge))",
          "\(Duration.milliseconds(new.commandAge))"))
    }
    for (key, after) in new.settings.sorted(by: { $0.key < $1.key }) {
      let before = former.settings[key] ?? Trust.Value(shown: "not set")
      if before.digest != after.digest { lines.append(change(key, before, after)) }
    }
    return lines
  }

  private static func list(_ items: [String]) -> String {
    "[\(items.joined(separator: ", "))]"
  }

  private static func change(_ key: String, _ before: Trust.Value, _ after: Trust.Value) -> String {
    // A password that is no longer the same, for one.
    before.shown == after.shown
      ? "\(key) (\(after.shown)) has changed" : change(key, before.shown, after.shown)
  }

  private static func change(_ key: String, _ before: String, _ after: String) -> String {
    "\(key) was \(before), is \(after)"
  }
}
