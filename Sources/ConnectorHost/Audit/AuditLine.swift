internal import ConnectorKit
internal import JSON
internal import Platform

/// One line of the audit's file.
enum AuditLine: Sendable, Hashable {
  /// What was done.
  case record(AuditRecord)
  /// So many records could not be written before this line.
  case missing(Int, at: WallTime)
  /// A line that says nothing: a disk that lost its current, a newer program.
  case unreadable

  /// The line with its end, as it stands in the file; nothing in it steers a terminal that shows the file.
  var text: String {
    let object: JSONObject
    switch self {
    case .record(let record): object = record.json
    case .missing(let count, let at):
      object = ["at": .string(at.rfc3339Milliseconds), "missing": .integer(count)]
    case .unreadable: return ""
    }
    return JSONValue.object(object).printable + "\n"
  }

  /// Reads a line without its end.
  init(_ bytes: some Collection<UInt8>) {
    let limits = JSONLimits(bytes: 64 << 10, depth: 4)
    guard let object = (try? JSONValue(parsing: Array(bytes), limits: limits))?.object else {
      self = .unreadable
      return
    }
    if let count = object["missing"]?.integer,
      let at = object["at"]?.string.flatMap(WallTime.init(rfc3339:))
    {
      self = .missing(Int(clamping: count), at: at)
    } else {
      self = AuditRecord(json: object).map(AuditLine.record) ?? .unreadable
    }
  }
}
