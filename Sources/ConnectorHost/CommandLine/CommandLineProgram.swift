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
    Console.occupyClosedPlaces()
    let environment = Environment.variables
    let line = try? parsed(arguments)
    for (name, value) in proxies(line, environment) { Environment.add(name, value) }
    let status = await run(arguments, environment: environment, terminal: .standard)
    guard let problem = Console.problem else { return status }
    Console.complain("\(Product.name): \(problem)")
    return status == 0 ? 1 : status
  }

  /// The commands that connectors bring along, and `init`, whose options depend on the connectors.
  private var tools: [CommandSpecification] {
    [InitCommand.specification(registry)]
      + registry.flatMap { $0.descriptor.tools.map(CommandSpecification.init) }
  }

  private func parsed(_ arguments: [String]) throws(ParsedLine.UsageError) -> ParsedLine {
    try ParsedLine(arguments, tools: tools)
  }

  /// The proxy variables that the daemon has from its environment files: whoever calls the same clouds takes the same way.
  func proxies(_ line: ParsedLine?, _ environment: [String: String]) -> [(String, String)] {
    switch line?.command {
    case .doctor, .run(once: true, logLevel: _), .tool, .initialize: break
    default: return []
    }
    let path = line?.file ?? ConfigurationPlaces(environment: environment).first
    let files = path.map { EnvironmentFiles(of: $0, environment) } ?? .nothing
    return files.variables.filter { $0.key.lowercased().hasSuffix("_proxy") }
      .map { ($0.key, $0.value) }
  }

  /// The loader of every command; the daemon has its own, since the service manager gives it its variables.
  private func loader(_ environment: [String: String]) -> ConfigurationLoader {
    var loader = ConfigurationLoader(registry: registry, environment: environment)
    loader.readsEnvironmentFiles = true
    return loader
  }

  /// Runs the command with this environment and terminal.
  func run(
    _ arguments: [String], environment: [String: String], terminal: Terminal
  ) async -> Int32 {
    let line: ParsedLine
    do { line = try parsed(arguments) } catch {
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
        loader: loader(environment),
        terminal: terminal, options: options)
      return await initialization.run(line.file)
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
      // That a named file is missing is a finding like the others.
      guard let path = line.file ?? find(nil, environment, terminal) else {
        return Self.configurationStatus
      }
      return ValidateCommand(
        loader: loader(environment),
        terminal: terminal, options: options
      ).run(path)
    case .audit(let options):
      return await withState(line.file, environment, terminal) { place in
        await AuditCommand(terminal: terminal, options: options, time: SystemTime.shared)
          .run(stateDirectory: place.folder)
      }
    case .status(let options):
      let command = StatusCommand(
        terminal: terminal, options: options, time: SystemTime.shared)
      return await withState(line.file, environment, terminal) { place in
        guard !options.showsToken else {
          return command.showToken(of: place.loader.load(place.file).configuration?.control)
        }
        return await command.run(place)
      }
    case .control(let order):
      return await withState(line.file, environment, terminal) { place in
        await ControlCommand(order: order, terminal: terminal).run(place)
      }
    case .doctor(let options):
      guard let path = find(line.file, environment, terminal) else {
        return Self.configurationStatus
      }
      return await DoctorCommand(
        loader: loader(environment),
        terminal: terminal, options: options, time: SystemTime.shared
      ).run(path)
    case .pair(let name, let code):
      guard let code = code ?? terminal.secret("code for '\(name)': ") else {
        terminal.complain(
          "\(Product.name): 'pair' needs a code: as an argument, or on standard input")
        return Self.usageStatus
      }
      return await withState(line.file, environment, terminal) { place in
        await ControlCommand(order: .pair(name, code), terminal: terminal).run(place)
      }
    case .explain(let name):
      return ExplainCommand(loader: loader(environment), terminal: terminal)
        .run(
          name, line.file ?? ConfigurationPlaces(environment: environment).first,
          isNamed: line.file != nil)
    case .importing(let file, let writes):
      guard let path = find(line.file, environment, terminal) else {
        return Self.configurationStatus
      }
      return await ImportCommand(
        loader: loader(environment),
        terminal: terminal, writes: writes
      ).run(file, configuration: path)
    case .tool(let options):
      if let named = line.file, isMissing(named, terminal) { return Self.configurationStatus }
      let path = line.file ?? ConfigurationPlaces(environment: environment).first
      return await ToolCommand(
        loader: loader(environment),
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

  /// Runs `body` with the place of the configuration file's daemon; says so where there is none.
  private func withState(
    _ named: String?, _ environment: [String: String], _ terminal: Terminal,
    _ body: (StatePlace) async -> Int32
  ) async -> Int32 {
    guard let path = find(named, environment, terminal) else { return Self.configurationStatus }
    do {
      let loader = loader(environment)
      // Before the rights change: that user may not see the way to the file.
      let identity = ConfigurationFile.identity(of: path)
      let rights = try DaemonRights(for: path, loader: loader, .asking)
      defer { rights.giveBack() }
      let folder = try StatePlace.of(path, loader: rights.loader)
      return await body(
        StatePlace(folder: folder, file: path, identity: identity, loader: rights.loader))
    } catch {
      terminal.complain("\(Product.name): \(error)")
      return 1
    }
  }

  /// Whether nothing stands at `path`; says so then.
  private func isMissing(_ path: String, _ terminal: Terminal) -> Bool {
    // What may not be looked at may stand there: reading it tells.
    do { guard try Files.information(path) == nil else { return false } } catch { return false }
    terminal.complain(
      "\(Product.name): there is no file \(path.onOneLine); correct -c, or write it with '\(Product.name) init -c \(path.onOneLine)'"
    )
    return true
  }

  /// The file that was named, else the first of the usual places; says so where there is none.
  private func find(
    _ named: String?, _ environment: [String: String], _ terminal: Terminal
  ) -> String? {
    if let named { return isMissing(named, terminal) ? nil : named }
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
