internal import ConnectorKit

extension Explanation {
  /// For a terminal.
  var text: String {
    var lines = ["\(descriptor.type): \(descriptor.title)"]
    lines += TextBlock.wrapped(descriptor.summary, width: 78)
    if let entry {
      lines.append("")
      lines.append("Entry '\(entry.name)' of \(file): permissions \(entry.permissionsText)")
      if let intention { lines.append(intention) }
    }
    lines += ["", "What leaves the house:", ""] + sentLines
    lines += ["", "What your macros say with \(MacroMethod.notify.remoteName):", ""]
    lines += TextBlock.wrapped(macroMessages, width: 76).map { "  \($0)" }
    lines += ["", "What its cloud may ask for:", ""] + commandLines
    return lines.map { $0.onOneLine + "\n" }.joined()
  }

  private var sentLines: [String] {
    guard !descriptor.sends.isEmpty else { return ["  This connector does not list it yet."] }
    var lines: [String] = []
    for message in messages {
      if !lines.isEmpty { lines.append("") }
      lines.append("  \(message.name)")
      lines += TextBlock.columns(message.fields.map { ["    \($0.path)", $0.meaning] })
    }
    if let traffic = descriptor.traffic {
      lines += [""] + TextBlock.wrapped("How much: \(traffic)", width: 76).map { "  \($0)" }
    }
    return lines
  }

  private var commandLines: [String] {
    guard !descriptor.commands.isEmpty else { return ["  Nothing: it takes no commands."] }
    let rows = commands.map { command in
      [
        "  \(command.name)", command.permission.rawValue,
        command.isAllowed.map { $0 ? "yes" : "no" } ?? Self.level(of: command.permission),
        command.summary,
      ]
    }
    let head = ["  COMMAND", "NEEDS", entry == nil ? "FROM LEVEL" : "ALLOWED", "WHAT IT DOES"]
    return TextBlock.columns([head] + rows)
      + remarks.flatMap { remark in
        [""] + TextBlock.wrapped(remark, width: 76).map { "  \($0)" }
      }
  }

  private static func level(of permission: Permission) -> String {
    PermissionLevel.allCases.first { $0.permissions.contains(permission) }?.rawValue ?? ""
  }
}
