internal import ConnectorKit
internal import JSON

/// What a command of the relay means.
enum RelayOrder: Sendable, Hashable {
  /// Something for the printer.
  case printer(PrinterCommand)
  /// End this connector until the daemon starts again.
  case shutDown
  /// The printer was deleted in the dashboard: forget the pairing and end.
  case uninstall

  /// Why a command is none that can be handed to the gate.
  struct Defect: Error, Sendable, Hashable {
    var problem: String
    var code: CommandResult.Code
  }

  /// Reads a command. Its path decides what it is; the method never makes it harmless.
  ///
  /// - Throws: `Defect`.
  init(_ command: RelayCommand) throws(Defect) {
    guard let parts = Self.parts(of: command.name) else {
      throw .forbidden(command.name)
    }
    if parts.first == "system" {
      switch parts {
      case ["system", "shutdown"]: self = .shutDown
      case ["system", "uninstall"]: self = .uninstall
      default:
        throw Defect(
          problem: "unsupported command: \(command.printableName)", code: .unsupported)
      }
      return
    }
    let (method, query, body) = try Self.arguments(command.params)
    guard
      let request = MoonrakerRequest(
        parts: parts, method: method, query: query, body: method == .get ? JSONObject() : body)
    else { throw .forbidden(command.name) }
    do throws(CommandFailure) {
      self = .printer(try PrinterCommand(request))
    } catch {
      guard error.reason == .notPermitted else {
        throw Defect(problem: "malformed command: \(error.message)", code: .malformed)
      }
      throw .forbidden(command.name)
    }
  }

  /// The way that it takes beside others.
  var lane: CommandDesk.Lane {
    switch self {
    case .shutDown, .uninstall: .urgent
    case .printer(let command):
      switch command {
      case .pause, .cancel, .emergencyStop: .urgent
      default: command.kind.isRead ? .reads : .worker
      }
    }
  }

  /// Whether others that wait may lose their turn by it.
  var overtakesOthers: Bool {
    switch self {
    case .printer(.emergencyStop), .printer(.cancel): true
    default: false
    }
  }

  /// Whether another one that waits is not started any more behind it: a stop ends all that changes something, a cancel
  /// what brings a job to life.
  func overtakes(_ other: RelayOrder) -> Bool {
    switch (self, other) {
    case (.printer(.emergencyStop), _): other.lane == .worker
    case (.printer(.cancel), .printer(.start)), (.printer(.cancel), .printer(.resume)),
      (.printer(.cancel), .printer(.startQueue)):
      true
    default: false
    }
  }

  /// The parts of `printer.print.pause`, each decoded; nil where the name is none.
  ///
  /// A name is letters, digits, `_`, `%` and `-`, with single dots between; `%2E` is a dot inside of a part.
  static func parts(of name: String) -> [String]? {
    guard name.utf8.count <= 1_024 else { return nil }
    var parts: [String] = []
    for part in name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
      guard let decoded = decoded(Array(part)) else { return nil }
      parts.append(decoded)
    }
    return parts
  }

  private static func decoded(_ part: [UInt8]) -> String? {
    guard !part.isEmpty else { return nil }
    var bytes: [UInt8] = []
    var index = 0
    while index < part.count {
      let byte = part[index]
      switch byte {
      case UInt8(ascii: "%"):
        guard index + 2 < part.count, let high = hex(part[index + 1]),
          let low = hex(part[index + 2])
        else { return nil }
        bytes.append(high << 4 | low)
        index += 2
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        bytes.append(byte)
      default: return nil
      }
      index += 1
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  // MARK: Arguments

  private typealias Arguments = (
    method: MoonrakerRequest.Method, query: [(key: String, value: String)], body: JSONObject
  )

  private static func arguments(_ params: JSONObject) throws(Defect) -> Arguments {
    var body = params
    var method = MoonrakerRequest.Method.post
    if let wanted = body["__method"] {
      guard let name = wanted.string else {
        throw Defect(problem: "malformed command: __method is no text", code: .malformed)
      }
      guard let known = MoonrakerRequest.Method(rawValue: name.uppercased()) else {
        throw Defect(problem: "method not allowed: \(name.printable)", code: .forbidden)
      }
      method = known
      body["__method"] = nil
    }
    var query: [(key: String, value: String)] = []
    if let wanted = body["__query"], !wanted.isNull {
      guard let object = wanted.object else {
        throw Defect(problem: "malformed command: __query is no object", code: .malformed)
      }
      for (key, value) in object {
        guard let text = queryText(value) else {
          throw Defect(
            problem: "malformed command: __query holds what no query can say", code: .malformed)
        }
        query.append((key, text))
      }
    }
    body["__query"] = nil
    return (method, query, body)
  }

  /// A value in a query: `true`, a number as it is, nothing for null, a list with commas; nil for what has no such form.
  static func queryText(_ value: JSONValue) -> String? {
    switch value {
    case .null: return ""
    case .bool(let isTrue): return isTrue ? "true" : "false"
    case .number(let number): return number.spelling
    case .string(let text): return text
    case .array(let values):
      let texts = values.map { $0.array == nil ? queryText($0) : nil }
      let known = texts.compactMap(\.self)
      return known.count == texts.count ? known.joined(separator: ",") : nil
    case .object: return nil
    }
  }
}

extension RelayOrder.Defect {
  /// What is never taken, or not at this level.
  static func forbidden(_ name: String) -> Self {
    Self(problem: "command not allowed: \(name.printable)", code: .forbidden)
  }
}
