internal import ConnectorKit
internal import JSON

/// What the relay is told of a command's end: `completed` or `failed`, once. Pure.
struct CommandResult: Sendable, Hashable {
  /// What an owed item of this kind is called.
  static let kind = "result"
  /// The most bytes of a push.
  static let largest = 1 << 20

  /// The word beside an error that machines read.
  enum Code: Sendable, Hashable {
    /// Moonraker or Klipper said no, or is away.
    case moonraker
    case forbidden, unsupported, malformed, tooLarge
    /// The gate refused it, for this reason.
    case gate(CommandOutcome.Reason)

    var word: String {
      switch self {
      case .moonraker: "moonraker_error"
      case .forbidden: "forbidden"
      case .unsupported: "unsupported"
      case .malformed: "malformed_command"
      case .tooLarge: "response_too_large"
      case .gate(let reason): reason.rawValue
      }
    }
  }

  /// The relay's id of the command.
  var id: String
  /// What it yielded, or the error with its code.
  var result: JSONObject
  /// What went wrong; nil when nothing did.
  var error: String?

  /// A command that was done.
  static func completed(_ id: String, _ result: JSONObject) -> CommandResult {
    CommandResult(id: id, result: result, error: nil)
  }

  /// A command that was not done.
  static func failed(_ id: String, _ problem: String, _ code: Code) -> CommandResult {
    CommandResult(
      id: id, result: ["error": .string(problem), "errorCode": .string(code.word)], error: problem)
  }

  /// The end of a command that was submitted.
  ///
  /// - Parameter absence: what the relay is told where the gate says *not connected*; nil: the gate's words.
  init(
    of command: RelayCommand, _ order: PrinterCommand, _ outcome: CommandOutcome, absence: String?
  ) {
    guard outcome.status == .done else {
      self = Self.failure(of: command, outcome, absence: absence)
      return
    }
    self = .completed(command.id, ["result": Self.answer(to: order, outcome.details)])
  }

  /// What is sent: `requestId`, `status`, `result`, and `error` where it failed; the printer's id comes with the sending.
  var body: JSONObject {
    var body: JSONObject = [
      "requestId": .string(id), "status": error == nil ? "completed" : "failed",
    ]
    if !result.isEmpty { body["result"] = .object(result) }
    if let error { body["error"] = .string(error) }
    return body
  }

  /// As it goes into the outbox; a result that is too large becomes a short failure.
  ///
  /// - Parameter asAnother: whether the id is also that of another command, whose result may still lie there.
  func owed(isExpendable: Bool = false, asAnother: Bool = false) -> OwedItem {
    // The printer's id and its key come on top.
    let isTooLarge = JSONValue.object(body).serialized().count > Self.largest - 512
    return OwedItem(
      key: asAnother ? "\(id.prefix(240))#again" : id, kind: Self.kind,
      body: isTooLarge ? Self.tooLarge(id).body : body,
      isExpendable: isExpendable)
  }

  /// Instead of one that is too large for us or for the relay.
  static func tooLarge(_ id: String) -> CommandResult {
    .failed(id, "response too large", .tooLarge)
  }

  private init(id: String, result: JSONObject, error: String?) {
    self.id = id
    self.result = result
    self.error = error
  }

  // MARK: Answers

  /// What Moonraker answers to it.
  private static func answer(to order: PrinterCommand, _ details: JSONValue?) -> JSONValue {
    switch order {
    case .gcode: "accepted"
    case .power(let device, let isOn):
      [device: isOn ? "on" : "off"]
    case .deleteFile(let path):
      [
        "item": ["path": .string(path.text), "root": "gcodes"], "action": "delete_file",
      ]
    default: order.kind.hasAnswer ? details ?? .null : "ok"
    }
  }

  private static func failure(
    of command: RelayCommand, _ outcome: CommandOutcome, absence: String?
  ) -> CommandResult {
    if outcome.status == .refused, outcome.reason == .notPermitted {
      let defect = RelayOrder.Defect.forbidden(command.name)
      return .failed(command.id, defect.problem, defect.code)
    }
    if outcome.reason == .notConnected, absence != nil || outcome.code == nil {
      return .failed(command.id, absence ?? outcome.message, .moonraker)
    }
    if let code = outcome.code {
      return .failed(
        command.id, "HTTP Error \(status(code, outcome.message)): \(words(outcome))", .moonraker)
    }
    let words = outcome.message.isEmpty ? outcome.reason.rawValue : outcome.message
    return .failed(command.id, words, .gate(outcome.reason))
  }

  /// The HTTP status that Moonraker would have answered with: JSON-RPC has numbers of its own for some.
  private static func status(_ code: Int, _ message: String) -> Int {
    switch code {
    case 100...599: code
    case -32601: 404
    case -32602: message.hasPrefix("Invalid params") ? 400 : 401
    case -32700, -32600: 400
    default: 500
    }
  }

  private static func words(_ outcome: CommandOutcome) -> String {
    // Of Klipper's endpoints nobody knows which there are before it is met; here it is.
    let isMissing = outcome.reason == .notConnected && outcome.code == -32601
    return isMissing || outcome.message == "Method not found" ? "Not Found" : outcome.message
  }
}
