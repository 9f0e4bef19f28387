package import ConnectorKit
internal import JSON

/// All that is written about the settings, made from their declarations: nothing here is told twice.
package struct ConfigurationReference: Sendable {
  /// The connectors that it tells about.
  package var registry: [any ConnectorBackend.Type]

  /// The reference of one registry.
  package init(registry: [any ConnectorBackend.Type]) { self.registry = registry }

  /// The JSON schema (draft 2020-12) of a configuration file, for editors.
  package var schema: String { PrettyJSON.text(ConfigurationSchema(registry: registry).document) }

  /// A configuration file with every setting, explained; it is valid as it stands, with all backends disabled.
  package var annotatedFile: String { AnnotatedConfiguration(registry: registry).text }

  /// The smallest file that connects these types.
  package func smallestFile(types: [String]) -> String {
    let entries = types.compactMap { type in
      registry.first { $0.descriptor.type == type }?.descriptor.minimalExample
    }
    return """
      version: 1
      printer:
        name: Voron 2.4
        moonraker: http://127.0.0.1:7125
      backends:

      """ + entries.map(Self.listItem).joined()
  }

  /// The table of a connector's own settings, as Markdown; nil for an unknown type.
  package func table(ofType type: String) -> String? {
    registry.first { $0.descriptor.type == type }.map {
      SettingsTable(HostSettings.Entry.own(of: $0.descriptor)).markdown
    }
  }

  /// The table of the host's own settings under `name` (a section, `top` or `entry`), as Markdown; nil for another.
  package func table(ofSection name: String) -> String? {
    switch name {
    case "top": return SettingsTable(HostSettings.Top.keys).markdown
    case "entry":
      let trailing = registry.map { HostSettings.Entry.trailing(of: $0.descriptor) }
      let keys = HostSettings.Entry.leading + (trailing.max { $0.count < $1.count } ?? [])
      return SettingsTable(keys).markdown
    default:
      return HostSettings.sections.first { $0.name == name }.map { SettingsTable($0.keys).markdown }
    }
  }

  /// The lines of one entry as an item of a list.
  static func listItem(_ entry: String) -> String {
    entry.split(separator: "\n").enumerated().map { index, line in
      (index == 0 ? "  - " : "    ") + line + "\n"
    }.joined()
  }
}
