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
    terminal.say(Explanation(descriptor, entry, file: file).text, terminator: "")
  }
}
