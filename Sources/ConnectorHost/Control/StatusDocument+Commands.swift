internal import ConnectorKit
internal import JSON
internal import Platform

extension StatusDocument {
  /// How many commands `/api/status` holds.
  static let shownCommands = 20

  /// The body of `/api/commands`: all commands that are remembered, newest first.
  static func commands(_ view: DaemonView) -> JSONValue {
    guard let commands = view.commands else {
      return ["version": .integer(version), "commands": .null]
    }
    return [
      "version": .integer(version),
      "commands": self.commands(commands, newest: .max, view),
    ]
  }

  /// The gate with the newest of its commands.
  static func commands(
    _ commands: CommandsView, newest count: Int, _ view: DaemonView
  ) -> JSONValue {
    let titles = titles(in: view)
    var object = switches(commands)
    object["last"] = .array(
      commands.recent.reversed().prefix(count).map { command($0, title: titles[$0.backend]) })
    return .object(object)
  }

  /// The services' names by the entries' names.
  static func titles(in view: DaemonView) -> [String: String] {
    Dictionary(
      view.backends.map { ($0.name, $0.title) }, uniquingKeysWith: { first, _ in first })
  }

  /// The gate without its commands.
  static func switches(_ commands: CommandsView) -> JSONObject {
    [
      "bed": [
        "is_clear": .bool(commands.bed.isClear), "by": .string(orNull: commands.bed.by),
        "since": .string(orNull: commands.bed.since?.rfc3339Seconds),
      ],
      "read_only": [
        "is_on": .bool(commands.readOnly.isOn), "by": .string(orNull: commands.readOnly.by),
        "since": .string(orNull: commands.readOnly.since?.rfc3339Seconds),
      ],
      "busy": commands.busy.map {
        ["backend": .string($0.backend), "action": .string($0.action)]
      } ?? .null,
      "journal_problem": .string(orNull: commands.journalProblem),
      "audit_problem": .string(orNull: commands.auditProblem),
      "audit_lost": .integer(commands.auditLost),
    ]
  }

  /// One command with what came of it.
  static func command(_ record: AuditRecord, title: String?) -> JSONValue {
    [
      "at": .string(record.at.rfc3339Milliseconds), "backend": .string(record.backend),
      "title": .string(orNull: title), "id": .string(record.commandID),
      "action": .string(record.action), "status": .string(record.outcome.status.rawValue),
      "reason": .string(record.outcome.reason.rawValue),
      "explanation": .string(record.outcome.explanation),
      "is_repeat": .bool(record.outcome.isRepeat),
      "latency_ms": .integer(AuditRecord.milliseconds(record.latency)),
    ]
  }
}
