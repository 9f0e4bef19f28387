package import ConnectorKit
internal import Platform

/// The command line of `printer-uplink`, without the registry that the executable hands in.
package struct CommandLineProgram: Sendable {
  /// The exit status of a wrong command line.
  static let usageStatus: Int32 = 2
  /// The exit status of a bad configuration (`EX_CONFIG`).
  static let configurationStatus: Int32 = 78

  /// The connectors that this build has.
  package var registry: [any ConnectorBackend.Type]

  /// A program with these connectors.
  package init(registry: [any ConnectorBackend.Type]) { self.registry = registry }

  /// Runs the command in `arguments` (without the program's name).
  ///
  /// - Returns: the exit status: 0, 1 (failed), 2 (usage) or 78 (configuration).
  package func run(_ arguments: [String]) async -> Int32 {
    await run(arguments, environment: Environment.variables, terminal: .standard)
  }

  /// Runs the command with this environment and terminal.
  func run(
    _ arguments: [String], environment: [String: String], terminal: Terminal
  ) async -> Int32 {
    let line: ParsedLine
    let tools =
      [InitCommand.specification(registry)]
      + registry.flatMap { $0.descriptor.tools.map(CommandSpecification.init) }
    do { line = try ParsedLine(arguments, tools: tools) } catch {
      terminal.complain("\(Product.name): \(error.problem)")
      terminal.complain(error.hint)
      return Self.usageStatus
    }
    switch line.command {
    case .help(let command):
      terminal.say(HelpText.of(command, tools: tools), terminator: "")
      return 0
    case .version:
      terminal.say("\(Product.name) \(Product.version)")
      return 0
    case .initialize(let options):
      let initialization = InitCommand(
        loader: ConfigurationLoader(registry: registry, environment: environment),
        terminal: terminal, options: options)
      let path = line.file ?? ConfigurationPlaces(environment: environment).new
      let status = initialization.write(path)
      return status == 0 ? await initialization.conclude(path) : status
    case .completions(let shell):
      let commands = CommandSpecification.all + tools
      terminal.say(
        shell == .man
          ? ManualPage(commands: commands).text
          : CompletionScript(commands: commands, types: registry.map { $0.descriptor.type })
            .text(for: shell), terminator: "")
      return 0
    case .schema:
      terminal.say(ConfigurationReference(registry: registry).schema, terminator: "")
      return 0
    case .backends(let type):
      return BackendsCommand(registry: registry, terminal: terminal).run(type)
    case .validate(let options):
      guard let path = find(line.file, environment, terminal) else {
        return Self.configurationStatus
      }
      return ValidateCommand(
        loader: ConfigurationLoader(registry: registry, environment: environment),
        terminal: terminal, options: options
      ).run(path)
    case .audit(let options):
      return await withState(line.file, environment, terminal) { folder, _ in
        await AuditCommand(terminal: terminal, options: options, time: SystemTime.shared)
          .run(stateDirectory: folder)
      }
    case .status(let options):
      let command = StatusCommand(
        terminal: terminal, options: options, time: SystemTime.shared)
      guard !options.showsToken else {
        guard let path = find(line.file, environment, terminal) else {
          return Self.configurationStatus
        }
        let loader = ConfigurationLoader(registry: registry, environment: environment)
        return command.showToken(of: loader.load(path).configuration?.control)
      }
      return await withState(line.file, environment, terminal) { folder, environment in
        await command.run(stateDirectory: folder, environment: environment)
      }
    case .control(let order):
      return await withState(line.file, environment, terminal) { folder, environment in
        await ControlCommand(order: order, terminal: terminal)
          .run(stateDirectory: folder, environment: environment)
      }
    case .doctor(let options):
      guard let path = find(line.file, environment, terminal) else {
        return Self.configurationStatus
      }
      return await DoctorCommand(
        loader: ConfigurationLoader(registry: registry, environment: environment),
        terminal: terminal, options: options, time: SystemTime.shared
      ).run(path)
    case .pair(let name, let code):
      guard let code = code ?? terminal.secret("code for '\(name)': ") else {
        terminal.complain(
          "\(Product.name): 'pair' needs a code: as an argument, or on standard input")
        return Self.usageStatus
      }
      return await withState(line.file, environment, terminal) { folder, environment in
        await ControlCommand(order: .pair(name, code), terminal: terminal)
          .run(stateDirectory: folder, environment: environment)
      }
    case .explain(let name):
      let path = line.file ?? ConfigurationPlaces(environment: environment).first
      let loader = ConfigurationLoader(registry: registry, environment: environment)
      return ExplainCommand(registry: registry, terminal: terminal)
        .run(name, configuration: path.flatMap { loader.load($0).configuration })
    case .importing(let file, let writes):
      guard let path = find(line.file, environment, terminal) else {
        return Self.configurationStatus
      }
      return await ImportCommand(
        loader: ConfigurationLoader(registry: registry, environment: environment),
        terminal: terminal, writes: writes
      ).run(file, configuration: path)
    case .tool(let options):
      let path = line.file ?? ConfigurationPlaces(environment: environment).first
      return await ToolCommand(
        loader: ConfigurationLoader(registry: registry, environment: environment),
        terminal: terminal, options: options
      ).run(path)
    case .run(let once, let level):
      guard let path = find(line.file, environment, terminal) else {
        return Self.configurationStatus
      }
      return await Daemon(
        options: RunOptions(configurationPath: path, once: once, logLevel: level),
        registry: registry, environment: environment
      ).run()
    }
  }

  /// Runs `body` with the state directory of the configuration file; says so where there is none.
  private func withState(
    _ named: String?, _ environment: [String: String], _ terminal: Terminal,
    _ body: (String, [String: String]) async -> Int32
  ) async -> Int32 {
    guard let path = find(named, environment, terminal) else { return Self.configurationStatus }
    do throws(StateFailure) {
      let loader = ConfigurationLoader(registry: registry, environment: environment)
      let folder = try StatePlace.of(path, loader: loader)
      return await body(folder, environment)
    } catch {
      terminal.complain("\(Product.name): \(error)")
      return 1
    }
  }

  /// The file that was named, else the first of the usual places; says so where there is none.
  private func find(
    _ named: String?, _ environment: [String: String], _ terminal: Terminal
  ) -> String? {
    if let named { return named }
    let places = ConfigurationPlaces(environment: environment)
    if let found = places.first { return found }
    terminal.complain("\(Product.name): there is no configuration file. Looked for:")
    for path in places.paths { terminal.complain("  \(path)") }
    terminal.complain(
      """
      Name one with -c FILE, or write one: '\(Product.name) init'.
      """)
    return nil
  }
}
