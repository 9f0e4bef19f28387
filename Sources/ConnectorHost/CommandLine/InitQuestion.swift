internal import ConnectorKit
internal import Platform

/// Something that `init` asks, with the option that answers it as well.
struct InitQuestion {
  /// The option that answers it.
  var option: String
  /// For a person at the terminal.
  var text: String
  /// The answer where nobody gives one; nil: somebody must.
  var usual: String?
  /// What an answer may look like, where there is no usual one.
  var example: String?
  /// What stands for the answer in the help.
  var placeholder = "VALUE"
  /// The path of the key that it answers in the file: `printer.name`; empty for what is no single key.
  var key = ""
  /// Whether the answer is a path, relative to where the person stands.
  var isPath = false

  /// The question as a terminal shows it.
  var shown: String {
    switch (usual, example) {
    case ("", _): "\(text) [none]"
    case (let usual?, _): "\(text) [\(usual)]"
    case (nil, let example?): "\(text) Such as \(example)"
    case (nil, nil): text
    }
  }

  /// Its option in the help.
  var specification: CommandSpecification.Option {
    let remark =
      usual.map { $0.isEmpty ? "" : " (\($0))" } ?? example.map { " (such as \($0))" } ?? ""
    return .init(name: option, letter: nil, value: placeholder, summary: text + remark)
  }

  // MARK: - All of them

  static let name = InitQuestion(
    option: "name", text: "What do you call the printer?", usual: "Printer", placeholder: "NAME",
    key: "printer.name")
  static let moonraker = InitQuestion(
    option: "moonraker", text: "Where is Moonraker?", usual: "http://127.0.0.1:7125",
    placeholder: "ADDRESS", key: "printer.moonraker")
  static let keyFile = InitQuestion(
    option: "api-key-file", text: "A file with Moonraker's API key, where it asks for one?",
    usual: "", placeholder: "FILE", key: "printer.api_key_file", isPath: true)
  static let permissions = InitQuestion(
    option: "permissions", text: "What may the clouds do: monitor, control, print or full?",
    usual: PermissionLevel.print.rawValue, placeholder: "PERMISSIONS")
  static let logFile = InitQuestion(
    option: "log-file", text: "A log file beside the system's log?", usual: "",
    placeholder: "FILE", key: "log.file", isPath: true)

  static func backends(_ registry: [any ConnectorBackend.Type]) -> InitQuestion {
    let types = registry.map { $0.descriptor.type }.joined(separator: ", ")
    return InitQuestion(
      option: "backends", text: "Which clouds, separated by commas (\(types))?", usual: "",
      placeholder: "TYPES")
  }

  /// What a connector's smallest entry holds beside its type and its secrets. Its example is nobody's answer.
  static func settings(of descriptor: ConnectorDescriptor) -> [InitQuestion] {
    keys(of: descriptor).filter { !$0.isSecret }.map { declaration in
      InitQuestion(
        option: option(declaration.key, descriptor), text: declaration.summary,
        usual: declaration.defaultText, example: declaration.example, key: declaration.key,
        isPath: declaration.kind == .path)
    }
  }

  /// The files with the secrets of a connector's smallest entry.
  static func secrets(of descriptor: ConnectorDescriptor) -> [InitQuestion] {
    keys(of: descriptor).filter(\.isSecret).map { declaration in
      InitQuestion(
        option: option("\(declaration.key)-file", descriptor),
        text:
          "A file (0600) with the \(declaration.key) of '\(descriptor.type)'? Else pair it later.",
        usual: "", placeholder: "FILE", key: "\(declaration.key)_file", isPath: true)
    }
  }

  /// The settings of a connector's smallest entry, in its order.
  private static func keys(of descriptor: ConnectorDescriptor) -> [SettingDeclaration] {
    descriptor.minimalExample.split(separator: "\n").compactMap { line in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      return descriptor.settings.first { $0.key == line[..<colon] }
    }
  }

  private static func option(_ key: String, _ descriptor: ConnectorDescriptor) -> String {
    "\(descriptor.type)-\(key)".replacing(text: "_", with: "-")
  }
}
