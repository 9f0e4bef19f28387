internal import ConnectorKit
internal import HTTPServer
internal import JSON
internal import Platform

/// What the dashboard asks for beside the daemon's view: its events, and what is looked up when a person wants to see it.
package struct DashboardServices: Sendable {
  /// What tells open pages of changes.
  let feed: DashboardFeed
  /// The curve of a freshly opened page.
  let temperatures: TemperatureHistory
  /// When the daemon started: pages reckon from it.
  let startedAt: MonotonicInstant
  /// The clock.
  let time: any TimeSource
  /// Looks through the audit.
  let history: @Sendable (AuditQuery) async throws -> AuditPage
  /// Lists what the entry of this name is owed.
  let owed: @Sendable (_ name: String) async throws -> [OwedSummary]
  /// What the entry of this name sends and obeys; nil: there is none.
  let explain: @Sendable (_ name: String) -> Explanation?
}

extension DashboardServices {
  /// The stream of one page, or 503 where there are too many.
  func events(for request: HTTPServer.Request) -> HTTPServer.Reply {
    let type = "text/event-stream; charset=utf-8"
    // Else a proxy would gather the events.
    let fields = [(name: "X-Accel-Buffering", value: "no")]
    guard request.method == "GET" else {
      return .now(.init(status: 200, type: type, body: [], fields: fields))
    }
    guard let stream = feed.open(for: request.peer, isFromLoopback: request.isFromLoopback) else {
      return .now(
        .init(
          status: 503, text: "Too many pages are open; close one, or ask /api/status.",
          fields: [("Retry-After", "5")]))
    }
    let hello = EventDocument.hello(startedAt.duration(to: time.now))
    return .streaming(.init(status: 200, type: type, body: hello, fields: fields)) {
      await stream.next()
    }
  }

  /// A page of the audit, as JSON.
  func historyAnswer(_ request: HTTPServer.Request, in view: DaemonView) async
    -> HTTPServer.Response
  {
    guard let query = AuditQuery(request.query) else {
      return .init(
        status: 400,
        text: "The query is not understood: docs/status-api.md says what /api/history takes.")
    }
    do {
      let page = try await history(query)
      let titles = StatusDocument.titles(in: view)
      return .json(
        200,
        [
          "version": .integer(StatusDocument.version),
          "rows": .array(page.lines.compactMap { Self.row($0, titles) }),
          "next": .string(orNull: page.next?.text),
        ])
    } catch {
      return .init(status: 503, text: "The audit cannot be read: \(error)")
    }
  }

  /// What an entry is owed, as JSON.
  func owedAnswer(_ request: HTTPServer.Request) async -> HTTPServer.Response {
    guard let name = Self.name(in: request) else { return Self.unnamed }
    do {
      return .json(
        200,
        [
          "version": .integer(StatusDocument.version),
          "owed": .array(
            try await owed(name).map {
              [
                "kind": .string($0.kind), "since": .string($0.since.rfc3339Seconds),
                "attempts": .integer($0.attempts),
              ]
            }),
        ])
    } catch {
      return .init(status: 503, text: "What is owed cannot be read: \(error)")
    }
  }

  /// What an entry sends and obeys, as JSON.
  func explainAnswer(_ request: HTTPServer.Request) -> HTTPServer.Response {
    guard let name = Self.name(in: request) else { return Self.unnamed }
    guard let explanation = explain(name) else {
      return .init(status: 404, text: "There is no entry of this name.")
    }
    return .json(200, explanation.document)
  }

  private static let unnamed = HTTPServer.Response(
    status: 400, text: "Which entry? Add ?backend=NAME.")

  private static func name(in request: HTTPServer.Request) -> String? {
    guard request.query.count == 1, let only = request.query.first, only.name == "backend",
      !only.value.isEmpty
    else { return nil }
    return only.value
  }

  private static func row(_ line: AuditLine, _ titles: [String: String]) -> JSONValue? {
    switch line {
    case .record(let record):
      StatusDocument.command(record, title: titles[record.backend])
    case .missing(let count, let at):
      ["at": .string(at.rfc3339Milliseconds), "missing": .integer(count)]
    case .unreadable: nil
    }
  }
}
