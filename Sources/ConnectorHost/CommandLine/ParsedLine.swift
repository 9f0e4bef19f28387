internal import ConnectorKit

/// A command line, understood.
struct ParsedLine {
  /// What to do.
  enum Command: Equatable {
    case run(once: Bool, logLevel: LogLevel?)
    case validate(ValidateCommand.Options)
    case backends(type: String?)
    case schema
    case audit(AuditCommand.Options)
    case status(StatusCommand.Options)
    case doctor(DoctorCommand.Options)
    case explain(String)
    case control(ControlOrder)
    /// Nil: the code is to be read from standard input.
    case pair(String, Secret?)
    case importing(file: String, writes: Bool)
    case tool(ToolCommand.Options)
    /// The answers that were given, by the questions' options, and the flags.
    case initialize(InitCommand.Options)
    case completions(CompletionScript.Shell)
    case version
    case help(command: String?)
  }
  /// What is wrong with a command line, and where to read on.
  struct UsageError: Error, Equatable {
    var problem: String
    var hint: String
  }
  /// What to do.
  var command: Command
  /// The configuration file that was named.
  var file: String?

  /// Understands `arguments` (without the program's name): `--option value`, `--option=value`, `-o value`, `-ovalue`;
  /// `--` ends the options.
  ///
  /// - Parameter tools: the commands that connectors bring along.
  init(_ arguments: [String], tools: [CommandSpecification] = []) throws(UsageError) {
    var scan = Scan(commands: CommandSpecification.all + tools)
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" {
        for operand in rest { try scan.take(operand: operand) }
        break
      }
      if argument.hasPrefix("-") && argument != "-" {
        try scan.take(option: argument, rest: &rest)
      } else {
        try scan.take(operand: argument)
      }
    }
    (command, file) = try scan.result()
  }

  /// What has been read so far.
  private struct Scan {
    let commands: [CommandSpecification]
    var specification: CommandSpecification?
    var isHelp = false
    var flags: Set<String> = []
    var values: [String: String] = [:]
    var operands: [String] = []

    private var hint: String {
      let command = specification.map { " \($0.name)" } ?? ""
      return "Try '\(Product.name)\(command) --help'."
    }

    private func failure(_ problem: String) -> UsageError {
      UsageError(problem: problem, hint: hint)
    }

    mutating func take(operand: String) throws(UsageError) {
      if let specification {
        guard isHelp || operands.count < specification.operandCount else {
          throw failure("'\(operand)' is one argument too many")
        }
        operands.append(operand)
      } else if operand == "help" {
        isHelp = true
      } else if let command = commands.first(where: { $0.name == operand }) {
        specification = command
      } else {
        let nearest = NearestName.of(operand, among: commands.map(\.name))
        throw failure(
          "unknown command '\(operand)'" + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
      }
    }

    mutating func take(option argument: String, rest: inout ArraySlice<String>) throws(UsageError) {
      let known = (specification?.options ?? []) + CommandSpecification.common
      let isLong = argument.hasPrefix("--")
      let name: String
      var inline: String?
      if isLong {
        let parts = argument.dropFirst(2).split(
          separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        name = parts.first.map(String.init) ?? ""
        inline = parts.count == 2 ? String(parts[1]) : nil
      } else {
        name = String(argument.dropFirst().prefix(1))
        let remainder = argument.dropFirst(2)
        inline = remainder.isEmpty ? nil : String(remainder)
      }
      let shown = isLong ? "--\(name)" : "-\(name)"
      guard
        let option = known.first(where: {
          isLong ? $0.name == name : $0.letter.map(String.init) == name
        })
      else {
        let nearest = isLong ? NearestName.of(name, among: known.map(\.name)) : nil
        throw failure(
          "unknown option '\(shown)'" + (nearest.map { "; did you mean '--\($0)'?" } ?? ""))
      }
      guard let placeholder = option.value else {
        guard inline == nil else { throw failure("'\(shown)' takes no value") }
        flags.insert(option.name)
        return
      }
      guard let value = inline ?? rest.popFirst(), !value.isEmpty else {
        throw failure("'\(shown)' needs a value: \(shown) \(placeholder)")
      }
      guard values.updateValue(value, forKey: option.name) == nil else {
        throw failure("'\(shown)' is given twice")
      }
    }

    func result() throws(UsageError) -> (Command, String?) {
      if isHelp || flags.contains("help") { return (.help(command: specification?.name), nil) }
      if flags.contains("version") { return (.version, nil) }
      guard let specification else {
        throw UsageError(problem: "a command is missing", hint: hint)
      }
      let file = values["config"]
      switch specification.name {
      case "run":
        return (.run(once: flags.contains("once"), logLevel: try logLevel()), file)
      case "validate":
        guard file == nil || operands.isEmpty else {
          throw failure("the file is named twice: '\(operands[0])' and with --config")
        }
        let options = ValidateCommand.Options(
          isJSON: flags.contains("json"), isStrict: flags.contains("strict"))
        return (.validate(options), file ?? operands.first)
      case "backends": return (.backends(type: operands.first), file)
      case "schema": return (.schema, file)
      case "init":
        let answers = values.filter { $0.key != "config" }
        return (.initialize(.init(answers: answers, flags: flags)), file)
      case "completions":
        let word = try operand()
        guard let shell = CompletionScript.Shell(rawValue: word) else {
          let all = CompletionScript.Shell.allCases.map(\.rawValue).joined(separator: ", ")
          throw failure("'\(word)' is none of \(all)")
        }
        return (.completions(shell), file)
      case "audit":
        let options = AuditCommand.Options(
          follows: flags.contains("follow"), isJSON: flags.contains("json"))
        return (.audit(options), file)
      case "status":
        let options = StatusCommand.Options(
          isJSON: flags.contains("json"), watches: flags.contains("watch"),
          showsToken: flags.contains("token"))
        guard !options.showsToken || !(options.isJSON || options.watches) else {
          throw failure("'--token' stands alone")
        }
        return (.status(options), file)
      case "doctor":
        let options = DoctorCommand.Options(
          isJSON: flags.contains("json"), isReport: flags.contains("report"),
          output: values["output"])
        guard !options.isJSON || !options.isReport else {
          throw failure("'--json' and '--report' exclude each other")
        }
        guard options.output == nil || options.isReport else {
          throw failure("'--output' is for '--report'")
        }
        return (.doctor(options), file)
      case "explain": return (.explain(try operand()), file)
      case "bed-cleared": return (.control(.bedCleared), file)
      case "enable": return (.control(.enabled(try operand(), true)), file)
      case "disable": return (.control(.enabled(try operand(), false)), file)
      case "unpair": return (.control(.unpair(try operand())), file)
      case "reload": return (.control(.reload(only: nil)), file)
      case "pair":
        return (.pair(try operand(), operands.count > 1 ? Secret(operands[1]) : nil), file)
      case "read-only":
        let word = try operand()
        guard word == "on" || word == "off" else {
          throw failure("'\(word)' is neither on nor off")
        }
        return (.control(.readOnly(word == "on")), file)
      case "import":
        return (.importing(file: try operand(), writes: flags.contains("write")), file)
      case "version": return (.version, file)
      default:
        let options = ToolCommand.Options(
          name: specification.name, values: values.filter { $0.key != "config" }, flags: flags)
        guard !options.installs || options.folder == nil else {
          throw failure("'--output' and '--install' exclude each other")
        }
        return (.tool(options), file)
      }
    }

    private func operand() throws(UsageError) -> String {
      guard let operand = operands.first, !operand.isEmpty else {
        throw failure("'\(specification?.name ?? "")' needs \(specification?.operand ?? "more")")
      }
      return operand
    }

    private func logLevel() throws(UsageError) -> LogLevel? {
      guard let text = values["log-level"] else { return nil }
      if let level = LogLevel(rawValue: text) { return level }
      let all = LogLevel.allCases.map(\.rawValue)
      let remedy =
        NearestName.of(text, among: all).map { "did you mean '\($0)'?" }
        ?? "write one of \(all.joined(separator: ", "))"
      throw failure("unknown log level '\(text)'; \(remedy)")
    }
  }
}
