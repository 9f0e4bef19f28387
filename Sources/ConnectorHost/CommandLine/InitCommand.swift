internal import ConnectorKit
internal import Glibc
internal import Platform

/// `printer-uplink init`: writes a first configuration, checks it, and says how to go on. Never overwrites.
struct InitCommand {
  /// What the command line answers.
  struct Options: Equatable {
    /// By the questions' options.
    var answers: [String: String] = [:]
    var flags: Set<String> = []
  }
  /// Why nothing is written.
  private struct Failure: Error {
    var problem: String
    var status: Int32
    init(_ problem: String, _ status: Int32 = 1) {
      self.problem = problem
      self.status = status
    }
    static func usage(_ problem: String) -> Failure {
      Failure(problem, CommandLineProgram.usageStatus)
    }
  }

  /// The same loader as `run`.
  let loader: ConfigurationLoader
  /// Where to write, and whom to ask.
  let terminal: Terminal
  let options: Options

  private var registry: [any ConnectorBackend.Type] { loader.registry }
  private var takesUsual: Bool { options.flags.contains("yes") }
  private var asks: Bool { terminal.asksPerson && !takesUsual }

  /// The command with an option for every question.
  static func specification(_ registry: [any ConnectorBackend.Type]) -> CommandSpecification {
    var questions: [InitQuestion] = [
      .name, .moonraker, .keyFile, .backends(registry), .permissions, .logFile,
    ]
    for connector in registry {
      questions += InitQuestion.settings(of: connector.descriptor)
      questions += InitQuestion.secrets(of: connector.descriptor)
    }
    let options: [CommandSpecification.Option] = [
      .init(name: "yes", letter: "y", value: nil, summary: "ask nothing: the usual answers count"),
      .init(name: "once", letter: nil, value: nil, summary: "at the end do one round: run --once"),
    ]
    return CommandSpecification(
      name: "init", operand: nil, summary: "write a first configuration",
      details: """
        Asks for what has no option on the line, writes the file (0600), checks it, and runs the doctor. It
        never overwrites a file, and writes none that would be refused. Secrets are named by their files, or
        given to 'pair' once the daemon runs. Without a terminal all must stand on the line, or --yes.
        """,
      options: questions.map(\.specification) + options)
  }

  /// Writes the file that was named, else the first of the usual places, and concludes.
  ///
  /// - Returns: 0; 1 where something stands there or cannot be written; 2 where an answer is none.
  func run(_ named: String?) async -> Int32 {
    let path = named ?? ConfigurationPlaces(environment: loader.environment).new
    let status = write(path, isNamed: named != nil)
    return status == 0 ? await conclude(path) : status
  }

  // MARK: - Where

  /// Refuses before the first question what could not be written after the last.
  private func check(_ path: String, _ isNamed: Bool) throws(Failure) {
    let places = ConfigurationPlaces(environment: loader.environment)
    let elsewhere = "name another file with -c FILE"
    for other in places.rivals(of: path, isNamed: isNamed) {
      do throws(PlatformError) {
        guard try Files.information(other) != nil else { continue }
      } catch {
        throw Failure(
          "this user may not see whether \(other) is there; put 'sudo' before the command, or \(elsewhere)"
        )
      }
      throw Failure(
        other == path
          ? "\(path) is there already and stays as it is; \(elsewhere)"
          : "\(other) is there already, and \(path) beside it would change which of them counts; edit that one, or \(elsewhere)"
      )
    }
    let folder = Files.folder(of: path)
    guard (try? Files.information(folder))?.kind == .folder else {
      throw Failure(
        isNamed
          ? "the folder \(folder) is not there; make it, or \(elsewhere)"
          : "neither ~/printer_data/config nor \(folder) is there; name the file: '\(Product.name) init -c FILE'"
      )
    }
    guard Files.isWritable(folder) else {
      throw Failure(
        "\(folder) is not writable for this user; put 'sudo' before the command, or \(elsewhere)")
    }
  }

  // MARK: - Writing

  /// Asks, and writes the file at `path`.
  ///
  /// - Returns: 0; 1 where something stands there or cannot be written; 2 where an answer is none.
  func write(_ path: String, isNamed: Bool = true) -> Int32 {
    do throws(Failure) {
      try check(path, isNamed)
      if !asks { try refuseMissing() }
      let draft = try ask(for: path)
      let errors = errors(of: draft, at: path)
      guard errors.isEmpty else {
        throw .usage("\(path) would be refused: \(errors.joined(separator: "; "))")
      }
      try create(path, draft.text)
    } catch {
      terminal.complain("\(Product.name): \(error.problem)")
      return error.status
    }
    terminal.say("\(path.onOneLine) is written.")
    return 0
  }

  private func create(_ path: String, _ text: String) throws(Failure) {
    do throws(PlatformError) {
      let folder = try Files.information(Files.folder(of: path))
      guard Files.isRoot, let folder else {
        return try Files.create(path, with: Array(text.utf8))
      }
      // What root writes into somebody's folder is for the daemon that runs as that one. In root's own one that a group may
      // enter and nobody else, as the package makes it, it is for the group.
      let isForGroup = folder.owner == 0 && folder.group != 0 && folder.mode & 0o057 == 0o050
      try Files.create(
        path, with: Array(text.utf8), mode: isForGroup ? 0o640 : 0o600, owner: folder.owner,
        group: folder.group)
    } catch {
      throw Failure(
        error.errorNumber == EEXIST
          ? "\(path) is there already and stays as it is; name another file with -c FILE"
          : "\(error)")
    }
  }

  /// What would be wrong with `draft` at `path`, with the keys.
  private func errors(of draft: FirstConfiguration, at path: String) -> [String] {
    findings(of: draft, at: path).map { "\($0.key): \($0.problem) (\($0.remedy))" }
  }

  private func findings(of draft: FirstConfiguration, at path: String) -> [Finding] {
    loader.load(Array(draft.text.utf8), from: path).findings.map(\.finding)
      .filter { $0.severity == .error }
  }

  // MARK: - Asking

  private func ask(for path: String) throws(Failure) -> FirstConfiguration {
    var draft = FirstConfiguration(
      name: InitQuestion.name.usual ?? "", moonraker: InitQuestion.moonraker.usual ?? "")
    try answer(.name, \.name, &draft, path)
    try answer(.moonraker, \.moonraker, &draft, path)
    try answer(.keyFile, \.keyFile, &draft, path)
    let connectors = try answer(.backends(registry)) { text throws(Failure) in
      try self.connectors(text)
    }
    if !connectors.isEmpty {
      draft.permissions = try answer(.permissions) { level throws(Failure) in
        guard PermissionLevel(rawValue: level) != nil else {
          throw .usage("'\(level)' is none of monitor, control, print and full")
        }
        return level
      }
    }
    try answer(.logFile, \.logFile, &draft, path)
    for descriptor in connectors { try askAbout(descriptor, &draft, path) }
    try refuseSuperfluous(connectors)
    return draft
  }

  /// The connectors of a list of types.
  private func connectors(_ text: String) throws(Failure) -> [ConnectorDescriptor] {
    var connectors: [ConnectorDescriptor] = []
    for type in text.split(separator: ",").map({ String($0.filter { $0 != " " }) }) {
      guard let found = registry.first(where: { $0.descriptor.type == type })?.descriptor else {
        let all = registry.map { $0.descriptor.type }
        let nearest = NearestName.of(type, among: all).map { "did you mean '\($0)'?" }
        throw .usage(
          "unknown type '\(type)'; \(nearest ?? "there are \(all.joined(separator: ", "))")")
      }
      guard !connectors.contains(where: { $0.type == type }) else {
        throw .usage(
          "'\(type)' is named twice; write the second account into the file, with a name")
      }
      connectors.append(found)
    }
    return connectors
  }

  private func askAbout(
    _ descriptor: ConnectorDescriptor, _ draft: inout FirstConfiguration, _ path: String
  ) throws(Failure) {
    let index = draft.entries.count
    draft.entries.append(.init(descriptor: descriptor))
    for question in InitQuestion.settings(of: descriptor) {
      try add(question, to: index, &draft, path)
    }
    for question in InitQuestion.secrets(of: descriptor) {
      let secret = String(question.key.dropLast("_file".count))
      // Most can be paired later; asked is for what cannot.
      let isNeeded = findings(of: draft, at: path).contains {
        $0.key == "backends[\(index)].\(secret)"
      }
      if isNeeded || options.answers[question.option] != nil {
        try add(question, to: index, &draft, path)
      }
      if isNeeded, draft.entries[index].settings.last?.key != question.key {
        draft.entries[index].lacks = secret
      }
    }
  }

  private func add(
    _ question: InitQuestion, to index: Int, _ draft: inout FirstConfiguration, _ path: String
  ) throws(Failure) {
    let before = draft
    draft = try answer(question) { text throws(Failure) in
      var changed = before
      guard !text.isEmpty else { return changed }
      changed.entries[index].settings.append((question.key, text))
      try self.check(changed, "backends[\(index)].\(question.key)", path)
      return changed
    }
  }

  private func answer(
    _ question: InitQuestion, _ place: WritableKeyPath<FirstConfiguration, String>,
    _ draft: inout FirstConfiguration, _ path: String
  ) throws(Failure) {
    let before = draft
    draft = try answer(question) { text throws(Failure) in
      var changed = before
      changed[keyPath: place] = text
      try self.check(changed, question.key, path)
      return changed
    }
  }

  /// Refuses what the loader says about the key.
  private func check(
    _ draft: FirstConfiguration, _ key: String, _ path: String
  ) throws(Failure) {
    if let wrong = findings(of: draft, at: path).first(where: { $0.key == key }) {
      throw .usage("\(wrong.problem); \(wrong.remedy)")
    }
  }

  /// The answer of the line, else of the person at the terminal, who is asked until it is one, else the usual one.
  private func answer<Answer>(
    _ question: InitQuestion, _ take: (String) throws(Failure) -> Answer
  ) throws(Failure) -> Answer {
    if let given = options.answers[question.option] {
      do { return try take(absolute(given, question)) } catch {
        throw Failure("--\(question.option): \(error.problem)", error.status)
      }
    }
    guard asks else { return try take(question.usual ?? "") }
    while true {
      terminal.complain(question.shown)
      guard let typed = terminal.input() else {
        throw Failure("the input has ended; nothing is written")
      }
      let words = typed.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      guard let text = words.isEmpty ? question.usual : words else {
        terminal.complain("This has no usual answer.")
        continue
      }
      do { return try take(absolute(text, question)) } catch { terminal.complain(error.problem) }
    }
  }

  /// A path counts from where the person stands, not from where the file will lie.
  private func absolute(_ text: String, _ question: InitQuestion) -> String {
    guard question.isPath, !text.isEmpty, !text.hasPrefix("/"), !text.hasPrefix("~"),
      let folder = Files.realPath(".")
    else { return text }
    return "\(folder)/\(text)"
  }

  // MARK: - What the line must say

  /// Where nobody is asked, says all at once what the line lacks.
  private func refuseMissing() throws(Failure) {
    var questions: [InitQuestion] = [.name, .moonraker, .backends(registry)]
    var connectors: [ConnectorDescriptor] = []
    if let given = options.answers["backends"] { connectors = try self.connectors(given) }
    if !connectors.isEmpty { questions.append(.permissions) }
    questions += connectors.flatMap(InitQuestion.settings)
    let missing = questions.filter {
      options.answers[$0.option] == nil && (!takesUsual || $0.usual == nil)
    }
    guard !missing.isEmpty else { return }
    let names = missing.map { "--\($0.option) \($0.placeholder)" }.joined(separator: ", ")
    throw .usage(
      takesUsual
        ? "there is no usual answer for \(names)"
        : "nobody can be asked here, since standard input is no terminal; give \(names), or --yes for the usual answers"
    )
  }

  /// Refuses answers about clouds that are not wanted.
  private func refuseSuperfluous(_ connectors: [ConnectorDescriptor]) throws(Failure) {
    for descriptor in registry.map({ $0.descriptor })
    where !connectors.contains(where: { $0.type == descriptor.type }) {
      let questions = InitQuestion.settings(of: descriptor) + InitQuestion.secrets(of: descriptor)
      if let given = questions.first(where: { options.answers[$0.option] != nil }) {
        throw .usage(
          "--\(given.option) is about '\(descriptor.type)', which is not among the clouds; name it in --backends too"
        )
      }
    }
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
    if !tries, asks {
      terminal.complain("Do one full round with every cloud now? [no]")
      tries = ["y", "yes"].contains((terminal.input() ?? "").lowercased())
    }
    if tries {
      return await Daemon(
        options: RunOptions(configurationPath: path, once: true), registry: loader.registry,
        environment: loader.environment
      ).run()
    }
    let shown = path.onOneLine
    terminal.say(
      "Try it: '\(Product.name) run --once -c \(shown)'; start it: '\(Product.name) run -c \(shown)'."
    )
    return 0
  }
}
