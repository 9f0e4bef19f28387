internal import ConnectorKit
internal import Platform

/// The manual page in roff's man macros, made from the same declarations as the help. Pure.
struct ManualPage {
  let commands: [CommandSpecification]

  /// The page's source.
  var text: String {
    var lines = [
      ".TH \(Product.name.uppercased()) 1 \"\" \"\(Product.name) \(Product.version)\" \"User Commands\"",
      ".SH NAME",
      "\(Self.word(Product.name)) \\- connects a Klipper printer to several clouds at once",
      ".SH SYNOPSIS", ".B \(Self.word(Product.name))", "\\fICOMMAND\\fR [\\fIoptions\\fR]",
      ".SH DESCRIPTION",
      "One daemon with one connection to Moonraker serves any number of clouds. Each command takes the options below.",
      ".SH COMMANDS",
    ]
    for command in commands {
      lines.append(
        ".SS \"\(Self.word(command.name))\(command.operand.map { " " + Self.word($0) } ?? "")\"")
      lines.append(Self.sentence(command.summary))
      if !command.details.isEmpty {
        // Filled anew: the help's own line ends mean nothing, save where they line up columns.
        lines.append(".PP")
        let isTable = command.details.contains(text: "  ")
        if isTable { lines.append(".nf") }
        lines += command.details.split(separator: "\n").map { Self.text(String($0)) }
        if isTable { lines.append(".fi") }
      }
      lines += command.options.flatMap(Self.lines)
    }
    lines.append(".SH OPTIONS")
    lines += CommandSpecification.common.flatMap(Self.lines)
    lines += [".SH FILES", "Without \\fB\\-\\-config\\fR the first of these files counts:"]
    for folder in ["~/printer_data/config", "/etc/printer-uplink"] {
      for end in ["yaml", "conf"] {
        lines += [".br", Self.word("\(folder)/\(Product.name).\(end)")]
      }
    }
    lines += [
      ".SH EXIT STATUS", "0 done, 1 failed, 2 wrong command line, 78 bad or missing configuration.",
    ]
    return lines.map { $0 + "\n" }.joined()
  }

  private static func lines(of option: CommandSpecification.Option) -> [String] {
    let short = option.letter.map { "\\fB\\-\($0)\\fR, " } ?? ""
    let value = option.value.map { " \\fI\(word($0))\\fR" } ?? ""
    return [".TP", "\(short)\\fB\\-\\-\(word(option.name))\\fR\(value)", sentence(option.summary)]
  }

  private static func sentence(_ text: String) -> String {
    let text = Self.text(text)
    return text.prefix(1).uppercased() + text.dropFirst() + (text.hasSuffix(".") ? "" : ".")
  }

  /// Running text: backslashes are escaped, and a line that would begin a request does not.
  private static func text(_ text: String) -> String {
    let escaped = text.replacing(text: "\\", with: "\\e")
    return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&\(escaped)" : escaped
  }

  /// A word that may be typed: its hyphens are no dashes.
  private static func word(_ text: String) -> String {
    Self.text(text).replacing(text: "-", with: "\\-")
  }
}
