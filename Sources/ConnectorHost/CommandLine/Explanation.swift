internal import ConnectorKit
internal import JSON

/// What leaves the house by one connector, and what its cloud may ask for: `explain` prints it, the page shows it.
struct Explanation: Sendable {
  /// What is sent in one kind of message.
  struct Message: Sendable, Hashable {
    /// `snapshot`, `heartbeat`.
    var name: String
    /// Each field's path, and what it is.
    var fields: [SentField]
  }
  /// A command that its cloud may send.
  struct Command: Sendable, Hashable {
    /// The wire's own name.
    var name: String
    /// What it takes.
    var permission: Permission
    /// Whether the entry has that; nil where no entry is meant.
    var isAllowed: Bool?
    /// One line.
    var summary: String
  }
  /// The connector.
  let descriptor: ConnectorDescriptor
  /// The entry, where one is meant.
  let entry: BackendConfiguration?
  /// The configuration file.
  let file: String

  /// All about one connector, with an entry's permissions where there is one.
  init(_ descriptor: ConnectorDescriptor, _ entry: BackendConfiguration?, file: String) {
    self.descriptor = descriptor
    self.entry = entry
    self.file = file
  }

  /// What the entry would do; nil where none is meant.
  var intention: String? {
    guard let entry else { return nil }
    return entry.isEnabled
      ? "It would \(descriptor.intention(entry.settings))."
      : "It is disabled: nothing leaves the house."
  }

  /// What is sent, message by message.
  var messages: [Message] {
    var messages: [Message] = []
    for field in descriptor.sends {
      if let index = messages.firstIndex(where: { $0.name == field.message }) {
        messages[index].fields.append(field)
      } else {
        messages.append(Message(name: field.message, fields: [field]))
      }
    }
    return messages
  }

  /// Where the line of a macro is shown.
  var macroMessages: String {
    descriptor.messages.map { "It is shown there \($0)." }
      ?? "It is not sent: nobody would see it there."
  }

  /// What its cloud may ask for.
  var commands: [Command] {
    descriptor.commands.map { command in
      Command(
        name: command.wireName, permission: command.permission,
        isAllowed: entry.map { $0.permissions.contains(command.permission) },
        summary: command.summary)
    }
  }

  /// What a person should know before giving a permission.
  var remarks: [String] {
    let kinds = Set(descriptor.commands.map(\.kind))
    let permissions = entry?.permissions ?? Set(Permission.allCases)
    var remarks: [String] = []
    if kinds.isSuperset(of: [.upload, .start]), permissions.isSuperset(of: [.upload, .start]) {
      remarks.append(
        "Whoever may upload and start may run any G-code: nobody looks into the files, and a file may hold every command that the printer knows."
      )
    }
    if kinds.contains(.macro), permissions.contains(.macro), !permissions.contains(.macroAny) {
      let names = entry?.allowedMacros ?? []
      remarks.append(
        "Of macros, only those that allowed_macros names: \(names.isEmpty ? "none" : names.joined(separator: ", "))."
      )
    }
    if kinds.contains(.gcode), permissions.contains(.gcode), !permissions.contains(.gcodeAny) {
      remarks.append("Of G-code, only lines that pass the filter.")
    }
    if kinds.contains(.deleteFile), permissions.contains(.filesDeleteOwn),
      !permissions.contains(.filesDeleteAny)
    {
      remarks.append("Of files, it may delete only those that it brought itself.")
    }
    if kinds.contains(where: \.movesOrHeats) {
      let age = DurationText.describe(entry?.maximumCommandAge ?? .seconds(120))
      remarks.append(
        "What moves or heats is refused when it is older than max_command_age (\(age)).")
    }
    remarks.append(
      "Every command is written to the audit ('\(Product.name) audit'); '\(Product.name) read-only on' stops all but looking and the emergency stop."
    )
    return remarks
  }

  /// As `/api/explain` says it.
  var document: JSONValue {
    [
      "version": .integer(StatusDocument.version), "type": .string(descriptor.type),
      "title": .string(descriptor.title), "summary": .string(descriptor.summary),
      "intention": .string(orNull: intention), "traffic": .string(orNull: descriptor.traffic),
      "sends": .array(
        messages.map { message in
          [
            "message": .string(message.name),
            "fields": .array(
              message.fields.map {
                ["path": .string($0.path), "meaning": .string($0.meaning)]
              }),
          ]
        }),
      "macro_messages": .string(macroMessages),
      "commands": .array(
        commands.map { command in
          [
            "name": .string(command.name), "needs": .string(command.permission.rawValue),
            "is_allowed": command.isAllowed.map(JSONValue.bool) ?? .null,
            "summary": .string(command.summary),
          ]
        }),
      "remarks": .array(remarks.map(JSONValue.string)),
    ]
  }
}
