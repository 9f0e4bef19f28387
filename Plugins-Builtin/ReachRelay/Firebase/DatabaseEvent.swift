internal import JSON

/// What an event of the database's stream says of the viewer's stamp. Pure.
enum DatabaseEvent: Sendable, Hashable {
  /// The stamp is now this; nil: there is none.
  case stamp(Int64?)
  /// Nothing new, and the stream lives.
  case alive
  /// The rules of the database do not let us read any more.
  case cancelled
  /// The token has run out, or has been revoked.
  case revoked
  /// An event that cannot be read.
  case unreadable

  /// Reads an event.
  init(_ event: EventStreamParser.Event) {
    switch event.name {
    case "put", "patch":
      let limits = JSONLimits(bytes: EventStreamParser.eventLimit, depth: 16)
      guard let body = try? JSONValue(parsing: event.data, limits: limits),
        let path = body["path"]?.string
      else {
        self = .unreadable
        return
      }
      // What has members is no stamp.
      let isWhole = event.name == "put" && path == "/"
      self = .stamp(isWhole ? Self.stamp(body["data"] ?? .null) : nil)
    case "cancel": self = .cancelled
    case "auth_revoked": self = .revoked
    default: self = .alive
    }
  }

  /// The stamp that a value is; nil where it is none.
  static func stamp(_ value: JSONValue) -> Int64? {
    value.integer ?? value.double.flatMap { Int64(exactly: $0.rounded(.down)) }
  }
}
