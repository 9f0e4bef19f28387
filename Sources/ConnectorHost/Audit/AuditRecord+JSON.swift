internal import ConnectorKit
internal import JSON
internal import Platform

extension AuditRecord {
  /// The most bytes of a text that came from outside; the rest is left out.
  private static let textLimit = 512

  /// The record as one JSON object; its `details` stay out, as they may be anything.
  var json: JSONObject {
    var object: JSONObject = [
      "at": .string(at.rfc3339Milliseconds), "backend": .string(backend),
      "id": .string(Self.cut(commandID)), "action": .string(Self.cut(action)),
      "digest": .string(digest), "status": .string(outcome.status.rawValue),
      "reason": .string(outcome.reason.rawValue), "message": .string(Self.cut(outcome.message)),
      "latency_ms": .integer(Self.milliseconds(latency)),
    ]
    if outcome.isRepeat { object["repeat"] = true }
    return object
  }

  /// The record that ``json`` was made of; nil where something is missing.
  init?(json: JSONObject) {
    guard let at = json["at"]?.string.flatMap(WallTime.init(rfc3339:)),
      let backend = json["backend"]?.string, let action = json["action"]?.string,
      let status = json["status"]?.string.flatMap(CommandOutcome.Status.init(rawValue:)),
      let reason = json["reason"]?.string.flatMap(CommandOutcome.Reason.init(rawValue:))
    else { return nil }
    self.init(
      at: at, backend: backend, commandID: json["id"]?.string ?? "", action: action,
      digest: json["digest"]?.string ?? "",
      outcome: CommandOutcome(
        status, reason, json["message"]?.string ?? "", isRepeat: json["repeat"]?.bool ?? false),
      latency: .milliseconds(json["latency_ms"]?.integer ?? 0))
  }

  /// From its arrival to its outcome, in whole milliseconds.
  static func milliseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000)
    guard !overflows else { return .max }
    return product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000).partialValue
  }

  private static func cut(_ text: String) -> String {
    text.utf8.count <= textLimit
      ? text : String(decoding: text.utf8.prefix(textLimit), as: UTF8.self) + "…"
  }
}
