internal import ConnectorKit

/// The help.
enum HelpText {
  /// The help of a command, or of the program where it is nil.
  ///
  /// - Parameter tools: the commands that connectors bring along.
  static func of(_ name: String?, tools: [CommandSpecification] = []) -> String {
    let commands = CommandSpecification.all + tools
    guard let command = commands.first(where: { $0.name == name }) else { return program(commands) }
    let usage = ["usage: \(Product.name) \(command.name) [options]", command.operand]
      .compactMap(\.self).joined(separator: " ")
    let details = command.details.isEmpty ? "" : command.details + "\n\n"
    return """
      \(usage)

      \(command.summary.prefix(1).uppercased() + command.summary.dropFirst()).
      \(details.isEmpty ? "" : "\n")\(details.isEmpty ? "\n" : details)options:
      \(options(command.options + CommandSpecification.common))

      """
  }

  private static func program(_ commands: [CommandSpecification]) -> String {
    let commands = commands.map { command in
      [
        "  " + [command.name, command.operand].compactMap(\.self).joined(separator: " "),
        command.summary,
      ]
    }
    return """
      usage: \(Product.name) COMMAND [options]

      Connects a Klipper printer to several clouds at once.

      commands:
      \(TextBlock.columns(commands).joined(separator: "\n"))

      options:
      \(options(CommandSpecification.common))

      '\(Product.name) COMMAND --help' tells more about a command.

      Without --config the first of these files counts:
        ~/printer_data/config/printer-uplink.yaml
        ~/printer_data/config/printer-uplink.conf
        /etc/printer-uplink/printer-uplink.yaml
        /etc/printer-uplink/printer-uplink.conf

      exit status: 0 done, 1 failed, 2 wrong command line, 78 bad or missing configuration

      """
  }

  private static func options(_ options: [CommandSpecification.Option]) -> String {
    TextBlock.columns(
      options.map { option in
        let short = option.letter.map { "-\($0), " } ?? "    "
        return [
          "  \(short)--\(option.name)" + (option.value.map { " \($0)" } ?? ""), option.summary,
        ]
      }
    ).joined(separator: "\n")
  }
}
