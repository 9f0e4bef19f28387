internal import ConnectorKit

/// Completions for shells, made from the same declarations as the help. Pure.
struct CompletionScript {
  /// What they are made for.
  enum Shell: String, Sendable, CaseIterable {
    case bash, zsh, fish
    /// The manual page.
    case man
  }
  /// What a word may be.
  private enum Word {
    case file, folder, anything
    case oneOf([String])
    /// An entry of the configuration file, or a type.
    case entry(orType: Bool)
  }

  let commands: [CommandSpecification]
  /// The types of the connectors.
  let types: [String]

  /// The script for `shell`.
  func text(for shell: Shell) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    case .man: ManualPage(commands: commands).text
    }
  }

  // MARK: What goes where

  private func operand(of command: CommandSpecification) -> Word? {
    guard let operand = command.operand else { return nil }
    switch operand {
    case "FILE", "[FILE]": return .file
    case "[TYPE]": return .oneOf(types)
    case "TYPE|NAME": return .entry(orType: true)
    case "NAME", "NAME [CODE]": return .entry(orType: false)
    case "SHELL": return .oneOf(Shell.allCases.map(\.rawValue))
    default: return .oneOf(operand.split(separator: "|").map(String.init))
    }
  }

  private func value(of option: CommandSpecification.Option) -> Word? {
    switch option.value {
    case nil: nil
    case "FILE": .file
    case "FOLDER": .folder
    case "LEVEL": .oneOf(LogLevel.allCases.map(\.rawValue))
    case "NAME" where option.name == "entry": .entry(orType: false)
    case .some: .anything
    }
  }

  private func options(of command: CommandSpecification) -> [CommandSpecification.Option] {
    command.options + CommandSpecification.common
  }

  /// The entries' names, as the shell asks the program itself; nothing where there is no configuration.
  private static let names =
    "\(Product.name) validate --json 2>/dev/null | sed -n 's/^ *\"name\": \"\\([^\"]*\\)\".*/\\1/p'"

  // MARK: bash

  private var bash: String {
    var cases = ""
    for command in commands {
      let words = options(of: command).flatMap { option in
        ["--\(option.name)"] + (option.letter.map { ["-\($0)"] } ?? [])
      }
      cases +=
        "    \(command.name)) options='\(words.joined(separator: " "))'; \(bashOperand(command)) ;;\n"
    }
    var values: [String: String] = [:]
    for option in commands.flatMap(options(of:)) {
      guard let word = value(of: option) else { continue }
      let names = ["--\(option.name)"] + (option.letter.map { ["-\($0)"] } ?? [])
      // Where one option means a folder here and a file there, what completes files completes both.
      for name in names where values[name] != bashWords(.file) { values[name] = bashWords(word) }
    }
    let valued = values.sorted { $0.key < $1.key }
      .map { "    \($0.key)) \($0.value); return ;;\n" }.joined()
    return """
      # bash completion for \(Product.name)
      _printer_uplink() {
        local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
        local command= options= word
        COMPREPLY=()
        _printer_uplink_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
        _printer_uplink_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
        _printer_uplink_folders() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current"); }
        _printer_uplink_names() { \(Self.names); }
        case $previous in
      \(valued)  esac
        for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
          case $word in -*) ;; *) command=$word; break ;; esac
        done
        case $command in
      \(cases)    *) _printer_uplink_words '\(commands.map(\.name).joined(separator: " ")) --help --version'; return ;;
        esac
        if [[ $current == -* ]]; then _printer_uplink_words "$options"; fi
      }
      complete -F _printer_uplink \(Product.name)

      """
  }

  private func bashOperand(_ command: CommandSpecification) -> String {
    operand(of: command).map { "[[ $current == -* ]] || \(bashWords($0))" } ?? ":"
  }

  private func bashWords(_ word: Word) -> String {
    switch word {
    case .file: "_printer_uplink_files"
    case .folder: "_printer_uplink_folders"
    case .anything: ":"
    case .oneOf(let words): "_printer_uplink_words '\(words.joined(separator: " "))'"
    case .entry(let orType):
      "_printer_uplink_words \"$(_printer_uplink_names)\(orType ? " \(types.joined(separator: " "))" : "")\""
    }
  }

  // MARK: zsh

  private var zsh: String {
    var cases = ""
    for command in commands {
      var arguments = options(of: command).flatMap { option in
        let value =
          value(of: option).map { ":\(Self.zshText(option.value ?? "")):\(zshWords($0))" } ?? ""
        let text = "[\(Self.zshText(option.summary))]\(value)"
        return ["'--\(option.name)\(text)'"] + (option.letter.map { ["'-\($0)\(text)'"] } ?? [])
      }
      if let operand = operand(of: command) {
        arguments.append("'1:\(Self.zshText(command.operand ?? "")):\(zshWords(operand))'")
      }
      cases += "      \(command.name)) _arguments \(arguments.joined(separator: " ")) ;;\n"
    }
    let listing = commands.map { "      '\($0.name):\(Self.zshText($0.summary))'\n" }.joined()
    return """
      #compdef \(Product.name)
      # zsh completion for \(Product.name)
      _printer_uplink_names() {
        local -a names
        names=(${(f)"$(\(Self.names))"} $@)
        compadd -a names
      }
      _printer_uplink() {
        local -a commands
        commands=(
      \(listing)  )
        if (( CURRENT == 2 )); then
          _describe command commands
          return
        fi
        local command=$words[2]
        shift words
        (( CURRENT-- ))
        case $command in
      \(cases)  esac
      }
      if [ "$funcstack[1]" = "_printer_uplink" ]; then
        _printer_uplink "$@"
      else
        compdef _printer_uplink \(Product.name)
      fi

      """
  }

  private func zshWords(_ word: Word) -> String {
    switch word {
    case .file: "_files"
    case .folder: "_files -/"
    case .anything: ""
    case .oneOf(let words): "(\(words.joined(separator: " ")))"
    case .entry(let orType):
      "_printer_uplink_names" + (orType ? " \(types.joined(separator: " "))" : "")
    }
  }

  /// What may stand in a single-quoted specification of `_arguments`.
  private static func zshText(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "'": result += "'\\''"
      case "[", "]", ":", "\\": result += "\\\(character)"
      default: result.append(character)
      }
    }
  }

  // MARK: fish

  private var fish: String {
    let isFirst = "'not __fish_seen_subcommand_from \(commands.map(\.name).joined(separator: " "))'"
    var lines = [
      "# fish completion for \(Product.name)",
      "function __printer_uplink_names; \(Self.names); end",
      "complete -c \(Product.name) -f",
    ]
    for command in commands {
      lines.append(
        "complete -c \(Product.name) -n \(isFirst) -a \(command.name) -d \(Self.fishText(command.summary))"
      )
      let within = "complete -c \(Product.name) -n '__fish_seen_subcommand_from \(command.name)'"
      for option in options(of: command) {
        var line = "\(within) -l \(option.name)"
        if let letter = option.letter { line += " -s \(letter)" }
        if let word = value(of: option) { line += " -r \(fishWords(word))" }
        lines.append("\(line) -d \(Self.fishText(option.summary))")
      }
      if let word = operand(of: command) { lines.append("\(within) \(fishWords(word))") }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func fishWords(_ word: Word) -> String {
    switch word {
    case .file: "-F"
    case .folder: "-a '(__fish_complete_directories)'"
    case .anything: ""
    case .oneOf(let words): "-a '\(words.joined(separator: " "))'"
    case .entry(let orType):
      "-a '(__printer_uplink_names)\(orType ? " \(types.joined(separator: " "))" : "")'"
    }
  }

  private static func fishText(_ text: String) -> String {
    let escaped = text.reduce(into: "") { result, character in
      if character == "'" || character == "\\" { result += "\\" }
      result.append(character)
    }
    return "'\(escaped)'"
  }
}
