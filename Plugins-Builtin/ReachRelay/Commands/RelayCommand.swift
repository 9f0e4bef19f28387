internal import JSON

/// What a pull brought.
enum PulledCommand: Sendable, Hashable {
  /// Nobody wants anything.
  case nothing
  /// A command.
  case command(RelayCommand)
  /// Something that can be answered, but is no command: the relay's id of it, and why.
  case malformed(id: String, String)
  /// Something that cannot even be answered, and why.
  case unanswerable(String)

  /// Reads the answer to a pull; keys that nobody knows are ignored.
  init(_ answer: JSONObject) {
    guard let value = answer["command"], !value.isNull else {
      self = .nothing
      return
    }
    guard let command = value.object else {
      self = .unanswerable("it is no object")
      return
    }
    guard let id = command["requestId"]?.string, (1...256).contains(id.utf8.count) else {
      self = .unanswerable("it has no requestId that can be used")
      return
    }
    guard let name = command["command"]?.string, !name.isEmpty else {
      self = .malformed(id: id, "malformed command: its name is missing")
      return
    }
    let params = command["params"] ?? .null
    guard params.isNull || params.object != nil else {
      self = .malformed(id: id, "malformed command: params is no object")
      return
    }
    self = .command(RelayCommand(id: id, name: name, params: params.object ?? JSONObject()))
  }
}

/// A command as the relay words it.
struct RelayCommand: Sendable, Hashable {
  /// The relay's id of it.
  var id: String
  /// One of Moonraker's paths with dots for slashes, or `system.…`.
  var name: String
  /// `__method`, `__query`, and the members of the body.
  var params: JSONObject

  /// The name as the log and the audit have it.
  var printableName: String { name.printable }
}

extension String {
  /// The text without what could disturb a log's line, at most 200 characters.
  var printable: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.prefix(200).filter { scalar in
          switch scalar.value {
          case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: false
          default: true
          }
        }))
  }
}
