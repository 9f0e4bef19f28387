internal import ConnectorKit
internal import HTTPServer
internal import JSON

/// What the control server has at a path.
enum ControlRoute: Sendable, Hashable, CaseIterable {
  case page, plain, script, style, status, commands, health, metrics, bedCleared, readOnly
  case wideningsSeen, enabled, reload, pair, unpair
  case events, temperatures, history, owed, explain

  /// The path.
  var path: String {
    switch self {
    case .page: "/"
    case .plain: "/plain"
    case .script: "/app.js"
    case .style: "/style.css"
    case .status: "/api/status"
    case .commands: "/api/commands"
    case .events: "/api/events"
    case .temperatures: "/api/temperatures"
    case .history: "/api/history"
    case .owed: "/api/owed"
    case .explain: "/api/explain"
    case .health: "/health"
    case .metrics: "/metrics"
    case .bedCleared: "/api/bed-cleared"
    case .readOnly: "/api/read-only"
    case .wideningsSeen: "/api/widenings-seen"
    case .enabled: "/api/enabled"
    case .reload: "/api/reload"
    case .pair: "/api/pair"
    case .unpair: "/api/unpair"
    }
  }

  /// Whether it changes something: such a path takes POST, the others GET and HEAD.
  var changes: Bool {
    switch self {
    case .bedCleared, .readOnly, .wideningsSeen, .enabled, .reload, .pair, .unpair: true
    case .page, .plain, .script, .style, .status, .commands, .health, .metrics: false
    case .events, .temperatures, .history, .owed, .explain: false
    }
  }

  /// The route at `path`.
  init?(path: String) {
    guard let route = Self.allCases.first(where: { $0.path == path }) else { return nil }
    self = route
  }
}

extension HTTPServer.Response {
  /// A page's answer.
  init(_ page: PageResponse) {
    self.init(status: page.status, type: page.type, body: page.body, fields: page.fields)
  }

  /// A JSON document, with a line end.
  static func json(
    _ status: Int, _ value: JSONValue, fields: [(name: String, value: String)] = []
  ) -> HTTPServer.Response {
    HTTPServer.Response(
      status: status, type: "application/json", body: value.serialized() + [0x0A], fields: fields)
  }
}
