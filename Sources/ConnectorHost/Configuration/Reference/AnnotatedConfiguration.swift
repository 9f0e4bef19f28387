internal import ConnectorKit
internal import Platform

/// A configuration file with every setting, its explanation and its default.
struct AnnotatedConfiguration {
  /// The connectors that it shows.
  let registry: [any ConnectorBackend.Type]

  private static let header = """
    # yaml-language-server: $schema=printer-uplink.schema.json
    #
    # printer-uplink: every setting of this version. This file is generated from the program's own
    # declarations and valid as it stands.
    #
    # A line that begins with '#' and a key shows the default, or an example where there is none:
    # remove the '#' to change it. `printer-uplink validate FILE` checks all of it without touching the
    # network and without writing anything.
    #
    # * A time is a number of seconds, or a text such as 500ms, 30s, 5m or 1h.
    # * In any text, ${env:NAME} and ${file:PATH} stand for a variable's value and a file's content
    #   ($${ for the two characters). A relative path counts from this file's folder.
    # * Every secret x has a twin x_file that names a file (mode 0600) with the secret in it. Prefer that:
    #   what lies under printer_data/config can be read by every Moonraker client.
    # * null, ~ or nothing means: not set.

    # The version of this file's format.
    version: 1

    """

  /// The file.
  var text: String {
    var text = Self.header + "\n"
    text += Self.block(HostSettings.Top.stateDirectory.declaration, indent: "")
    for section in HostSettings.sections {
      text += "\n# \(section.summary)\n\(section.name):\n"
      text += Self.blocks(section.keys, active: [:], indent: "  ")
    }
    text +=
      "\n# One entry for each cloud account; two entries of one type are two accounts.\nbackends:\n"
    for connector in registry { text += entry(connector.descriptor) }
    return text
  }

  private func entry(_ descriptor: ConnectorDescriptor) -> String {
    var active = Self.lines(of: descriptor.minimalExample)
    active["type"] = nil
    active["enabled"] = ["enabled: false  # remove this line to connect"]
    var keys = HostSettings.Entry.keys(of: descriptor).filter { $0.declaration.key != "type" }
    // Without a name of its own an entry is called by its type.
    for index in keys.indices where keys[index].form == .name {
      keys[index].declaration.example = descriptor.type
    }
    let title = descriptor.title.prefix(1).uppercased() + descriptor.title.dropFirst()
    let lead = TextBlock.wrapped("\(title): \(descriptor.summary)", width: 94)
      .map { "  # \($0)\n" }.joined()
    return "\n\(lead)  - type: \(descriptor.type)\n"
      + Self.blocks(keys, active: active, indent: "    ")
  }

  /// The lines of a smallest entry by their outermost key.
  private static func lines(of example: String) -> [String: [String]] {
    var result: [String: [String]] = [:]
    var key = ""
    for line in example.split(separator: "\n") {
      if !line.hasPrefix(" "), let colon = line.firstIndex(of: ":") { key = String(line[..<colon]) }
      result[key, default: []].append(String(line))
    }
    return result
  }

  private static func blocks(
    _ keys: [ConfigurationKey], active: [String: [String]], indent: String
  ) -> String {
    var shown: Set<String> = []
    return keys.map { key in
      let outer = key.declaration.key.split(separator: ".").first.map(String.init) ?? ""
      let twin = active[outer + "_file"].map { _ in outer + "_file" }
      guard let lines = active[twin ?? outer] else {
        return block(key.declaration, form: key.form, indent: indent)
      }
      guard shown.insert(outer).inserted else { return "" }
      return comment(SettingReference(key), indent: indent)
        + lines.map { "\(indent)\($0)\n" }.joined()
    }.joined()
  }

  private static func block(
    _ declaration: SettingDeclaration, form: ConfigurationKey.Form = .declared, indent: String
  ) -> String {
    var key = ConfigurationKey(declaration)
    key.form = form
    let setting = SettingReference(key)
    let value = declaration.defaultText.map { $0.isEmpty ? "\"\"" : $0 } ?? setting.example ?? "…"
    let names = declaration.key.split(separator: ".")
    var lines = ""
    for (depth, name) in names.enumerated() {
      let text = depth == names.count - 1 ? "\(name): \(value)" : "\(name):"
      lines += "\(indent)#\(String(repeating: "  ", count: depth))\(text)\n"
    }
    return comment(setting, indent: indent) + lines
  }

  private static func comment(_ setting: SettingReference, indent: String) -> String {
    var facts = setting.values
    if let twin = setting.fileKey { facts += "; or \(twin)" }
    if setting.defaultText == nil, !setting.isRequired, !setting.summary.contains(text: "Default:")
    {
      facts += "; no default"
    }
    return TextBlock.wrapped("\(setting.summary) [\(facts)]", width: 96 - indent.count)
      .map { "\(indent)# \($0)\n" }.joined()
  }
}
