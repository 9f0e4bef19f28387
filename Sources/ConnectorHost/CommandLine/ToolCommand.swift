internal import ConnectorKit
internal import Platform

/// A command that a connector brings along: finds its entry, asks the printer once, prints or writes what it made.
struct ToolCommand {
  /// What was asked for.
  struct Options: Equatable {
    var name: String
    var values: [String: String] = [:]
    var flags: Set<String> = []

    /// The folder to write to; nil: print.
    var folder: String? { values["output"] }
    /// Whether to write to where the files' program reads them.
    var installs: Bool { flags.contains("install") }
  }
  private struct Failure: Error {
    var status: Int32
    var lines: [String]
    init(_ problem: String, status: Int32 = 1) {
      self.status = status
      lines = ["\(Product.name): \(problem)"]
    }
  }

  /// The same loader as `run`.
  let loader: ConfigurationLoader
  /// Where to write.
  let terminal: Terminal
  let options: Options
  /// The printer's status; nil where it cannot be asked.
  var ask: @Sendable (Configuration, StatusInterest) async -> PrinterStatus? = {
    await PrinterQuestion(configuration: $0).answer(to: $1)
  }

  /// Does it for the configuration at `path`; nil where there is none.
  ///
  /// - Returns: 0, 1 (not done), 2 (usage) or 78 (the configuration is not usable).
  func run(_ path: String?) async -> Int32 {
    do {
      try await work(path)
      return 0
    } catch let failure as Failure {
      for line in failure.lines { terminal.complain(line) }
      return failure.status
    } catch {
      terminal.complain("\(Product.name): \(error)")
      return 1
    }
  }

  private func work(_ path: String?) async throws {
    guard let (connector, tool) = declared else {
      throw Failure("no connector has '\(options.name)'", status: CommandLineProgram.usageStatus)
    }
    let rights = try path.map { path throws(PlatformError) in
      try DaemonRights(for: path, loader: loader, .acting)
    }
    let configuration: Configuration?
    var status: PrinterStatus?
    do {
      // What is written goes where the person said, with the person's own rights.
      defer { rights?.giveBack() }
      configuration = try path.map { try load($0, rights?.loader ?? loader) }
      if let configuration, !tool.reads.objects.isEmpty {
        status = await ask(configuration, tool.reads)
      }
    }
    let entry = try entry(of: connector.descriptor.type, in: configuration)
    let own = Set(tool.options.map(\.name))
    let call = ToolCall(
      settings: entry?.settings ?? Settings(), printerName: configuration?.printer.name ?? "",
      status: status, values: options.values.filter { own.contains($0.key) },
      flags: options.flags.intersection(own))
    let result: ToolResult
    do { result = try connector.use(tool.name, call) } catch {
      throw Failure("\(error.problem); \(error.remedy)")
    }
    if entry == nil, let configuration {
      terminal.complain(
        "\(configuration.path) has no entry of type '\(connector.descriptor.type)': its defaults count."
      )
    }
    try deliver(result, of: tool)
    for remark in result.remarks { terminal.complain(remark) }
  }

  private var declared: (any ConnectorBackend.Type, ToolDeclaration)? {
    for connector in loader.registry {
      for tool in connector.descriptor.tools where tool.name == options.name {
        return (connector, tool)
      }
    }
    return nil
  }

  private func load(_ path: String, _ loader: ConfigurationLoader) throws -> Configuration {
    let loaded = loader.load(path)
    guard let configuration = loaded.configuration else {
      var failure = Failure(
        "\(path) has mistakes; correct them first", status: CommandLineProgram.configurationStatus)
      failure.lines =
        loaded.findings.filter { $0.finding.severity == .error }.map(\.description) + failure.lines
      throw failure
    }
    return configuration
  }

  private func entry(
    of type: String, in configuration: Configuration?
  ) throws -> BackendConfiguration? {
    let entries =
      configuration?.backends.filter { $0.connector.descriptor.type == type } ?? []
    if let name = options.values["entry"] {
      guard let entry = entries.first(where: { $0.name == name }) else {
        throw Failure(
          "there is no entry '\(name)' of type '\(type)'", status: CommandLineProgram.usageStatus)
      }
      return entry
    }
    guard entries.count < 2 else {
      let names = entries.map(\.name).joined(separator: ", ")
      throw Failure(
        "there are several entries of type '\(type)'; name one: --entry NAME (\(names))",
        status: CommandLineProgram.usageStatus)
    }
    return entries.first
  }

  // MARK: - What comes of it

  private func deliver(_ result: ToolResult, of tool: ToolDeclaration) throws {
    if options.installs {
      let places = tool.installPlaces.flatMap(folders)
      guard !places.isEmpty else {
        throw Failure(
          "none of \(tool.installPlaces.joined(separator: ", ")) is there; write the files elsewhere with --output FOLDER"
        )
      }
      for place in places { try write(result.files, below: place) }
    } else if let folder = options.folder {
      try write(result.files, below: folder)
    } else {
      for file in result.files { terminal.say("# \(file.path)\n\(file.text)", terminator: "") }
    }
  }

  private func write(_ files: [ToolResult.File], below folder: String) throws {
    for file in files {
      let path = "\(StateDirectory.withoutTrailingSlashes(folder))/\(file.path)"
      do {
        try makeFolders(Files.folder(of: path))
        try Files.replace(path, with: Array(file.text.utf8), mode: 0o644)
      } catch {
        throw Failure("\(error)")
      }
      terminal.say(path)
    }
  }

  private func makeFolders(_ path: String) throws(PlatformError) {
    guard try Files.information(path) == nil else { return }
    let parent = Files.folder(of: path)
    if parent != path { try makeFolders(parent) }
    try Files.makeFolder(path, mode: 0o755)
  }

  /// The folders that `pattern` stands for and that are there.
  private func folders(_ pattern: String) -> [String] {
    var path = pattern
    if path.hasPrefix("~/") {
      guard let home = loader.environment["HOME"], !home.isEmpty else { return [] }
      path = home + path.dropFirst(1)
    }
    guard path.hasSuffix("/*") else { return isFolder(path) ? [path] : [] }
    let parent = String(path.dropLast(2))
    return ((try? Files.names(in: parent)) ?? []).sorted().map { "\(parent)/\($0)" }
      .filter(isFolder)
  }

  private func isFolder(_ path: String) -> Bool {
    (try? Files.information(path))?.kind == .folder
  }
}
