internal import ConnectorKit

/// `printer-uplink backends [TYPE]`: the registry, or one connector's settings.
struct BackendsCommand {
  /// The connectors of this build.
  let registry: [any ConnectorBackend.Type]
  /// Where to write.
  let terminal: Terminal

  /// Prints; 2 for an unknown type.
  func run(_ type: String?) -> Int32 {
    guard let type else {
      let rows = registry.map { [$0.descriptor.type, $0.descriptor.title, $0.descriptor.summary] }
      for line in TextBlock.columns([["TYPE", "CLOUD", "WHAT IT DOES"]] + rows) {
        terminal.say(line)
      }
      return 0
    }
    guard let descriptor = registry.first(where: { $0.descriptor.type == type })?.descriptor else {
      let types = registry.map { $0.descriptor.type }
      let remedy =
        NearestName.of(type, among: types).map { "did you mean '\($0)'?" }
        ?? "there are \(types.joined(separator: ", "))"
      terminal.complain("\(Product.name): unknown type '\(type)'; \(remedy)")
      return CommandLineProgram.usageStatus
    }
    terminal.say(Self.text(descriptor), terminator: "")
    return 0
  }

  /// All about one connector's entry.
  static func text(_ descriptor: ConnectorDescriptor) -> String {
    let common = HostSettings.Entry.leading + HostSettings.Entry.trailing(of: descriptor)
    let variables = descriptor.environment.map { rule in
      let when =
        switch rule.precedence {
        case .overridesFile: "wins over the file"
        case .fillsAbsentKeyOfOnlyEntry: "fills the key where the only entry leaves it out"
        }
      return ["  \(rule.variable)", rule.setting, when]
    }
    return """
      \(descriptor.type): \(descriptor.title)
      \(TextBlock.wrapped(descriptor.summary, width: 78).joined(separator: "\n"))

      The smallest entry:

      \(ConfigurationReference.listItem(descriptor.minimalExample))
      Its own settings:

      \(SettingsListing(HostSettings.Entry.own(of: descriptor)).text)
      What every entry knows:

      \(SettingsListing(common).text)\(variables.isEmpty ? "" : "\nVariables of the environment:\n\n")\
      \(TextBlock.columns(variables).map { $0 + "\n" }.joined())
      """
  }
}
