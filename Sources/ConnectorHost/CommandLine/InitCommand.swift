internal import ConnectorKit
internal import JSON
internal import Platform

/// `printer-uplink init`: writes a first configuration, checks it, and says how to go on. Never overwrites.
struct InitCommand {
  /// What the command line answers.
  struct Options: Equatable {
    /// By the questions' options.
    var answers: [String: String] = [:]
    var flags: Set<String> = []
  }
  /// Something that is asked.
  struct Question {
    /// The option that answers it.
    var option: String
    /// For a person at the terminal.
    var text: String
    /// The answer where nobody gives one.
    var usual: String
  }

  /// The same loader as `run`.
  let loader: ConfigurationLoader
  /// Where to write, and whom to ask.
  let terminal: Terminal
  let options: Options

  private static let name = Question(
    option: "name", text: "What do you call the printer?", usual: "Printer")
  private static let moonraker = Question(
    option: "moonraker", text: "Where is Moonraker?", usual: "http://127.0.0.1:7125")
  private static let key = Question(
    option: "api-key-file", text: "A file with Moonraker's API key, where it asks for one?",
    usual: "")
  private static let permissions = Question(
    option: "permissions",
    text: "What may the clouds do: monitor, control, print or full?",
    usual: PermissionLevel.print.rawValue)
  private static let log = Question(
    option: "log-file", text: "A log file beside the system's log?", usual: "")

  private static func backends(_ registry: [any ConnectorBackend.Type]) -> Question {
    let types = registry.map { $0.descriptor.type }.joined(separator: ", ")
    return Question(
      option: "backends", text: "Which clouds, separated by commas (\(types))?", usual: "")
  }

  /// What a connector's smallest entry holds beside its type and its secrets.
  private static func questions(of descriptor: ConnectorDescriptor) -> [(key: String, Question)] {
    descriptor.minimalExample.split(separator: "\n").compactMap { line in
      guard let colon = line.firstIndex(of: ":"), !line.hasPrefix(" ") else { return nil }
      let key = String(line[..<colon])
      let usual = line[line.index(after: colon)...].filter { $0 != " " && $0 != "\"" }
      guard let declaration = descriptor.settings.first(where: { $0.key == key }),
        !declaration.isSecret
      else { return nil }
      let option = "\(descriptor.type)-\(key)".replacing(text: "_", with: "-")
      return (key, Question(option: option, text: declaration.summary, usual: usual))
    }
  }

  /// The secrets of a connector's smallest entry, each with the option that names its file.
  private static func secrets(of descriptor: ConnectorDescriptor) -> [(key: String, option: String)]
  {
    descriptor.settings.filter { declaration in
      declaration.isSecret
        && descriptor.minimalExample.split(separator: "\n").contains {
          $0.hasPrefix("\(declaration.key):")
        }
    }.map { ($0.key, "\(descriptor.type)-\($0.key)-file".replacing(text: "_", with: "-")) }
  }

  /// The command with an option for every question.
  static func specification(_ registry: [any ConnectorBackend.Type]) -> CommandSpecification {
    func option(_ question: Question, _ value: String) -> CommandSpecification.Option {
      let usual = question.usual.isEmpty ? "" : " (\(question.usual))"
      return .init(
        name: question.option, letter: nil, value: value, summary: question.text + usual)
    }
    var all = [
      option(name, "NAME"), option(moonraker, "ADDRESS"), option(key, "FILE"),
      option(backends(registry), "TYPES"), option(permissions, "PERMISSIONS"), option(log, "FILE"),
    ]
    for connector in registry {
      let descriptor = connector.descriptor
      all += questions(of: descriptor).map { option($0.1, "VALUE") }
      all += secrets(of: descriptor).map {
        .init(
          name: $0.option, letter: nil, value: "FILE",
          summary: "a file (0600) with the \($0.key) of '\(descriptor.type)'; else pair it later")
      }
    }
    all.append(
      .init(name: "yes", letter: "y", value: nil, summary: "ask nothing: the usual answers count"))
    all.append(
      .init(name: "once", letter: nil, value: nil, summary: "at the end do one round: run --once"))
    return CommandSpecification(
      name: "init", operand: nil, summary: "write a first configuration",
      details: """
        Asks for what has no option on the line, writes the file (0600), checks it, and runs the doctor. It
        never overwrites a file. Secrets are named by their files, or given to 'pair' once the daemon runs.
        """,
      options: all)
  }

  // MARK: - Writing

  /// Asks, and writes the file at `path`.
  ///
  /// - Returns: 0; 1 where something stands there or cannot be written; 2 where an answer is none.
  func write(_ path: String) -> Int32 {
    do throws(PlatformError) {
      guard try Files.information(path) == nil else {
        return fail("\(path) is there already and stays as it is; name another file with -c", 1)
      }
    } catch {
      return fail("\(error)", 1)
    }
    let registry = loader.registry
    let head = [Self.name, Self.moonraker, Self.key].map(answer)
    let types = answer(Self.backends(registry)).split(separator: ",")
      .map { String($0.filter { $0 != " " }) }
    var connectors: [ConnectorDescriptor] = []
    for type in types {
      guard let found = registry.first(where: { $0.descriptor.type == type })?.descriptor else {
        let all = registry.map { $0.descriptor.type }
        let nearest = NearestName.of(type, among: all).map { "did you mean '\($0)'?" }
        return fail(
          "unknown type '\(type)'; \(nearest ?? "there are \(all.joined(separator: ", "))")",
          CommandLineProgram.usageStatus)
      }
      connectors.append(found)
    }
    let level = answer(Self.permissions)
    guard PermissionLevel(rawValue: level) != nil else {
      return fail(
        "'\(level)' is none of monitor, control, print and full", CommandLineProgram.usageStatus)
    }
    let text = text(
      name: head[0], moonraker: head[1], keyFile: head[2], connectors, level: level,
      logFile: answer(Self.log))
    do throws(PlatformError) {
      // Once more, for what came in the meantime: this one fails where something stands.
      let file = try ByteFile(creating: path)
      try file.write(Array(text.utf8))
      // What root writes into somebody's folder is for the daemon that runs as that one.
      if Files.isRoot, let folder = try Files.information(Files.folder(of: path)) {
        try Files.setOwner(path, owner: folder.owner, group: folder.group)
      }
    } catch {
      return fail("\(error)", 1)
    }
    terminal.say("\(path) is written.")
    return 0
  }

  private func text(
    name: String, moonraker: String, keyFile: String, _ connectors: [ConnectorDescriptor],
    level: String, logFile: String
  ) -> String {
    var lines = [
      "# printer-uplink. Every setting: '\(Product.name) backends TYPE', docs/configuration.md.",
      "# After a change: '\(Product.name) validate', then '\(Product.name) reload'.",
      "version: 1", "printer:", "  # As you call it.", "  name: \(Self.yaml(name))",
      "  # http://host:port, or unix:/path/to/moonraker.sock",
      "  moonraker: \(Self.yaml(moonraker))",
    ]
    if !keyFile.isEmpty { lines.append("  api_key_file: \(Self.yaml(keyFile))") }
    if !logFile.isEmpty { lines += ["log:", "  file: \(Self.yaml(logFile))"] }
    guard !connectors.isEmpty else {
      return (lines + ["backends: []", ""]).joined(separator: "\n")
    }
    lines += ["# One entry for each cloud account.", "backends:"]
    for descriptor in connectors {
      lines.append("  - type: \(descriptor.type)")
      lines += TextBlock.wrapped(descriptor.summary, width: 78).map { "    # \($0)" }
      lines.append("    permissions: \(level)  # monitor, control, print or full")
      for (key, question) in Self.questions(of: descriptor) {
        lines.append("    \(key): \(Self.yaml(answer(question, of: descriptor.type)))")
      }
      let secrets = Self.secrets(of: descriptor)
      for (key, option) in secrets {
        if let file = options.answers[option] {
          lines.append("    \(key)_file: \(Self.yaml(file))")
        } else if key == descriptor.pairingKey {
          lines.append(
            "    # Pair it once the daemon runs: \(Product.name) pair \(descriptor.type)")
        }
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The answer of the line, else of the person at the terminal, else the usual one.
  private func answer(_ question: Question) -> String { answer(question, of: nil) }

  private func answer(_ question: Question, of type: String?) -> String {
    if let answer = options.answers[question.option] { return answer }
    guard terminal.asksPerson, !options.flags.contains("yes") else { return question.usual }
    let usual = question.usual.isEmpty ? "none" : question.usual
    terminal.complain("\(type.map { "\($0): " } ?? "")\(question.text) [\(usual)]")
    let line = terminal.input() ?? ""
    return line.isEmpty ? question.usual : line
  }

  /// Text as YAML takes it whatever it holds: JSON's spelling.
  private static func yaml(_ text: String) -> String {
    String(decoding: JSONValue.string(text).serialized(), as: UTF8.self)
  }

  private func fail(_ problem: String, _ status: Int32) -> Int32 {
    terminal.complain("\(Product.name): \(problem)")
    return status
  }

  // MARK: - What comes then

  /// Checks the new file, runs the doctor, and offers one round.
  ///
  /// - Returns: 0 where the file is good, whatever the doctor finds: that may be mended later.
  func conclude(_ path: String) async -> Int32 {
    let status = ValidateCommand(loader: loader, terminal: terminal, options: .init()).run(path)
    guard status == 0 else { return status }
    _ = await DoctorCommand(
      loader: loader, terminal: terminal, options: .init(), time: SystemTime.shared
    ).run(path)
    var tries = options.flags.contains("once")
    if !tries, terminal.asksPerson, !options.flags.contains("yes") {
      terminal.complain("Do one full round with every cloud now? [no]")
      tries = ["y", "yes"].contains((terminal.input() ?? "").lowercased())
    }
    if tries {
      return await Daemon(
        options: RunOptions(configurationPath: path, once: true), registry: loader.registry,
        environment: loader.environment
      ).run()
    }
    terminal.say(
      "Try it: '\(Product.name) run --once -c \(path)'; start it: '\(Product.name) run -c \(path)'."
    )
    return 0
  }
}
