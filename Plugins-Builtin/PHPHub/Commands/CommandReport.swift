internal import ConnectorKit
internal import JSON
internal import Platform

/// What the hub is told of a command: an element of `command_results`.
struct CommandReport: Sendable, Hashable {
  /// What an owed item of this kind is called.
  static let kind = "result"

  var id: String
  var action: String
  var status: String
  var message: String
  /// Seconds since 1970.
  var receivedAt: Int64
  /// Seconds since 1970; nil: it has not ended.
  var finishedAt: Int64?

  /// The end of a command.
  init(_ command: HubCommand, _ outcome: CommandOutcome, at now: WallTime) {
    self.init(command, Self.word(outcome.status), Self.message(outcome), at: now)
  }

  /// A command that is refused because it is none.
  init(_ command: HubCommand, refused reason: CommandFailure, at now: WallTime) {
    self.init(command, "rejected", reason.message, at: now)
  }

  /// How far a command is.
  init(_ command: HubCommand, progress: String) {
    self.init(command, "running", progress, at: nil)
  }

  private init(_ command: HubCommand, _ status: String, _ message: String, at end: WallTime?) {
    id = command.id
    action = command.action
    self.status = status
    self.message = message.printable(500)
    receivedAt = command.receivedAt
    finishedAt = end.map { $0.millisecondsSinceEpoch / 1_000 }
  }

  var json: JSONObject {
    var json: JSONObject = [
      "id": .string(id), "action": .string(action), "status": .string(status),
      "message": .string(message), "received_at": .integer(receivedAt),
    ]
    json["finished_at"] = finishedAt.map { .integer($0) }
    return json
  }

  /// As it goes into the outbox.
  func owed(isExpendable: Bool = false) -> OwedItem {
    OwedItem(key: id, kind: Self.kind, body: json, isExpendable: isExpendable)
  }

  private static func word(_ status: CommandOutcome.Status) -> String {
    switch status {
    case .done: "completed"
    case .failed: "failed"
    case .refused: "rejected"
    case .unknown: "unknown"
    }
  }

  private static func message(_ outcome: CommandOutcome) -> String {
    switch outcome.reason {
    case .ok: outcome.message
    case .stale: "stale: \(outcome.message)"
    case .notConnected: "printer offline: \(outcome.message)"
    default: outcome.message.isEmpty ? outcome.reason.rawValue : outcome.message
    }
  }
}
