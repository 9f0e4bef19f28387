internal import ConnectorKit

/// `printer-uplink explain TYPE|NAME`: what leaves the house, and what a cloud may ask for.
struct ExplainCommand {
  /// The connectors of this build.
  let registry: [any ConnectorBackend.Type]
  /// Where to write.
  let terminal: Terminal

  /// Prints what is known of a type, or of an entry.
  ///
  /// - Parameters:
  ///   - name: an entry's name, or a type.
  ///   - configuration: the file, where there is one that can be used.
  /// - Returns: 0; 2 where nothing has that name.
  func run(_ name: String, configuration: Configuration?) -> Int32 {
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
