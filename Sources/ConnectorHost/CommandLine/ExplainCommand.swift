internal import ConnectorKit

/// `printer-uplink explain TYPE|NAME`: what leaves the house, and what a cloud may ask for.
struct ExplainCommand {
  /// The same loader as `run`.
  let loader: ConfigurationLoader
  /// Where to write.
  let terminal: Terminal

  private var registry: [any ConnectorBackend.Type] { loader.registry }

  /// Prints what is known of a type, or of an entry.
  ///
  /// - Parameters:
  ///   - name: an entry's name, or a type.
  ///   - path: the configuration file, where there is one.
  ///   - isNamed: whether that file was asked for; else it counts only where it can be used.
  /// - Returns: 0; 2 where nothing has that name; 78 where the file that was named cannot be used.
  func run(_ name: String, _ path: String?, isNamed: Bool) -> Int32 {
    let loaded = path.map { loader.load($0) }
    if let path, let loaded, loaded.configuration == nil {
      let errors = loaded.findings.filter { $0.finding.severity == .error }
      guard !isNamed else {
        for error in errors { terminal.complain(error.description) }
        return CommandLineProgram.configurationStatus
      }
      let first = errors.first.map { " (\($0))" } ?? ""
      terminal.complain("\(Product.name): \(path) cannot be used and does not count\(first)")
    }
    return run(name, configuration: loaded?.configuration.map(switched))
  }

  /// With what persons have set beside the file, as the daemon takes it.
  private func switched(_ configuration: Configuration) -> Configuration {
    let folder = try? StateDirectory.location(
      configured: configuration.stateDirectory, environment: loader.environment,
      configurationPath: configuration.path)
    let overlay = folder.map(OverlayStore.peek) ?? ConfigurationOverlay()
    guard overlay != ConfigurationOverlay() else { return configuration }
    return loader.load(configuration.path, overlay: overlay).configuration ?? configuration
  }

  private func run(_ name: String, configuration: Configuration?) -> Int32 {
    let entries = configuration?.backends ?? []
    if let entry = entries.first(where: { $0.name == name }) {
      say(entry.connector.descriptor, entry, of: configuration?.path ?? "")
      return 0
    }
    guard let descriptor = registry.first(where: { $0.descriptor.type == name })?.descriptor else {
      let names = entries.map(\.name) + registry.map { $0.descriptor.type }
      let remedy =
        NearestName.of(name, among: names).map { "did you mean '\($0)'?" }
        ?? "there are \(registry.map { $0.descriptor.type }.joined(separator: ", "))"
      terminal.complain("\(Product.name): no entry and no type is called '\(name)'; \(remedy)")
      return CommandLineProgram.usageStatus
    }
    say(descriptor, nil, of: "")
    return 0
  }

  private func say(
    _ descriptor: ConnectorDescriptor, _ entry: BackendConfiguration?, of file: String
  ) {
    terminal.say(Self.text(descriptor, entry, file: file), terminator: "")
  }

  /// All about one connector, with an entry's permissions where there is one.
  static func text(
    _ descriptor: ConnectorDescriptor, _ entry: BackendConfiguration?, file: String
  ) -> String {
    var lines = ["\(descriptor.type): \(descriptor.title)"]
    lines += TextBlock.wrapped(descriptor.summary, width: 78)
    if let entry {
      lines.append("")
      lines.append("Entry '\(entry.name)' of \(file): permissions \(entry.permissionsText)")
      lines.append(
        entry.isEnabled
          ? "It would \(descriptor.intention(entry.settings))."
          : "It is disabled: nothing leaves the house.")
    }
    lines += ["", "What leaves the house:", ""] + sent(descriptor)
    lines += ["", "What your macros say with \(MacroMethod.notify.remoteName):", ""]
    lines += TextBlock.wrapped(
      descriptor.messages.map { "It is shown there \($0)." }
        ?? "It is not sent: nobody would see it there.", width: 76
    ).map { "  \($0)" }
    lines += ["", "What its cloud may ask for:", ""] + commands(descriptor, entry)
    return lines.map { $0.onOneLine + "\n" }.joined()
  }

  private static func sent(_ descriptor: ConnectorDescriptor) -> [String] {
    guard !descriptor.sends.isEmpty else { return ["  This connector does not list it yet."] }
    var lines: [String] = []
    var messages: [String] = []
    for field in descriptor.sends where !messages.contains(field.message) {
      messages.append(field.message)
    }
    for message in messages {
      if !lines.isEmpty { lines.append("") }
      lines.append("  \(message)")
      let fields = descriptor.sends.filter { $0.message == message }
      lines += TextBlock.columns(fields.map { ["    \($0.path)", $0.meaning] })
    }
    if let traffic = descriptor.traffic {
      lines += [""] + TextBlock.wrapped("How much: \(traffic)", width: 76).map { "  \($0)" }
    }
    return lines
  }

  private static func commands(
    _ descriptor: ConnectorDescriptor, _ entry: BackendConfiguration?
  ) -> [String] {
    guard !descriptor.commands.isEmpty else { return ["  Nothing: it takes no commands."] }
    let rows = descriptor.commands.map { command in
      let needed = command.permission
      return [
        "  \(command.wireName)", needed.rawValue,
        entry.map { $0.permissions.contains(needed) ? "yes" : "no" } ?? level(of: needed),
        command.summary,
      ]
    }
    let head = ["  COMMAND", "NEEDS", entry == nil ? "FROM LEVEL" : "ALLOWED", "WHAT IT DOES"]
    return TextBlock.columns([head] + rows) + remarks(descriptor, entry)
  }

  /// What a person should know before giving a permission.
  private static func remarks(
    _ descriptor: ConnectorDescriptor, _ entry: BackendConfiguration?
  ) -> [String] {
    let kinds = Set(descriptor.commands.map(\.kind))
    let permissions = entry?.permissions ?? Set(Permission.allCases)
    var remarks: [String] = []
    if kinds.isSuperset(of: [.upload, .start]), permissions.isSuperset(of: [.upload, .start]) {
      remarks.append(
        "Whoever may upload and start may run any G-code: nobody looks into the files, and a file may hold every command that the printer knows."
      )
    }
    if kinds.contains(.macro), permissions.contains(.macro), !permissions.contains(.macroAny) {
      let names = entry?.allowedMacros ?? []
      remarks.append(
        "Of macros, only those that allowed_macros names: \(names.isEmpty ? "none" : names.joined(separator: ", "))."
      )
    }
    if kinds.contains(.gcode), permissions.contains(.gcode), !permissions.contains(.gcodeAny) {
      remarks.append("Of G-code, only lines that pass the filter.")
    }
    if kinds.contains(.deleteFile), permissions.contains(.filesDeleteOwn),
      !permissions.contains(.filesDeleteAny)
    {
      remarks.append("Of files, it may delete only those that it brought itself.")
    }
    if kinds.contains(where: \.movesOrHeats) {
      let age = DurationText.describe(entry?.maximumCommandAge ?? .seconds(120))
      remarks.append(
        "What moves or heats is refused when it is older than max_command_age (\(age)).")
    }
    remarks.append(
      "Every command is written to the audit ('\(Product.name) audit'); '\(Product.name) read-only on' stops all but looking and the emergency stop."
    )
    return remarks.flatMap { remark in
      [""] + TextBlock.wrapped(remark, width: 76).map { "  \($0)" }
    }
  }

  private static func level(of permission: Permission) -> String {
    PermissionLevel.allCases.first { $0.permissions.contains(permission) }?.rawValue ?? ""
  }
}
