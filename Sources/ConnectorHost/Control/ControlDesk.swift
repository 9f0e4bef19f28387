internal import ConnectorKit
internal import HTTPServer
internal import JSON
internal import Platform

/// Answers the control server's requests.
struct ControlDesk: Sendable {
  let healthOnly: Bool
  let access: ControlAccess
  let actions: (any ControlActions)?
  let pages: BackendPages
  let dashboard: DashboardServices?
  let view: @Sendable () async -> DaemonView

  /// The answer; an action's comes when it is done.
  func reply(to request: HTTPServer.Request) -> HTTPServer.Reply {
    if healthOnly, request.path != ControlRoute.health.path {
      return .now(.init(status: 404, text: "There is only /health here."))
    }
    guard let route = ControlRoute(path: request.path) else { return page(request) }
    guard !request.isForm else {
      return .now(.init(status: 415, text: "A POST needs Content-Type: application/json."))
    }
    guard route.changes == (request.method == "POST") else {
      return .now(
        .init(
          status: 405, text: "This path takes \(route.changes ? "POST" : "GET and HEAD").",
          fields: [("Allow", route.changes ? "POST" : "GET, HEAD")]))
    }
    if route.changes { return act(route, request) }
    if route == .events {
      return dashboard?.events(for: request) ?? .now(DashboardPage.notFound)
    }
    return .later { await answer(route, request) }
  }

  /// A page of a backend's own. Whoever changes something there is judged as here.
  private func page(_ request: HTTPServer.Request) -> HTTPServer.Reply {
    let backend = request.query.first { $0.name == "backend" }?.value
    guard let handler = pages.handler(at: request.path, backend: backend) else {
      return .now(DashboardPage.notFound)
    }
    let refusal = access.refusal(of: request)
    if request.method == "POST", let refusal { return .now(refusal) }
    let asked = PageRequest(
      method: request.method == "POST" ? "POST" : "GET", path: request.path, query: request.query,
      body: request.body, isForm: request.isForm, mayChange: refusal == nil,
      visitor: access.person(request))
    return .later {
      HTTPServer.Response(await handler(asked))
    }
  }

  private func answer(
    _ route: ControlRoute, _ request: HTTPServer.Request
  ) async -> HTTPServer.Response {
    switch route {
    case .page: return DashboardPage.document
    case .script: return DashboardPage.script
    case .style: return DashboardPage.style
    case .plain: return PlainPage.document(await view())
    case .status: return .json(200, StatusDocument.make(await view()))
    case .commands: return .json(200, StatusDocument.commands(await view()))
    case .metrics:
      return .init(
        status: 200, type: "text/plain; version=0.0.4; charset=utf-8",
        body: Array(MetricsText(await view()).text.utf8))
    case .health:
      let report = HealthReport(await view())
      // The body is `OK` and nothing more, as monitors of the relay's former agent compare it.
      return HTTPServer.Response(
        status: report.status, type: "text/plain; charset=utf-8", body: Array(report.text.utf8))
    case .temperatures, .history, .owed, .explain:
      guard let dashboard else { return DashboardPage.notFound }
      return await look(route, request, in: dashboard)
    case .events, .bedCleared, .readOnly, .wideningsSeen, .enabled, .reload, .pair, .unpair:
      return DashboardPage.notFound
    }
  }

  /// What is looked up when a person wants to see it.
  private func look(
    _ route: ControlRoute, _ request: HTTPServer.Request, in dashboard: DashboardServices
  ) async -> HTTPServer.Response {
    switch route {
    case .history: await dashboard.historyAnswer(request, in: await view())
    case .owed: await dashboard.owedAnswer(request)
    case .explain: dashboard.explainAnswer(request)
    default: .json(200, dashboard.temperatures.document)
    }
  }

  private func act(_ route: ControlRoute, _ request: HTTPServer.Request) -> HTTPServer.Reply {
    if let refusal = access.refusal(of: request) { return .now(refusal) }
    guard let order = ControlOrder(route, body: request.body) else {
      return .now(
        .action(400, "The body is not understood: docs/status-api.md says what it holds."))
    }
    guard let actions else { return .now(.action(503, "The daemon takes no commands yet.")) }
    let person = access.person(request)
    let meant = request.field(ConfigurationFile.field)
    return .later {
      if let meant {
        let own = await view().configurationPath
        let refusal = try? await offload { ConfigurationFile.refusal(of: meant, by: own) }
        if let refusal = refusal ?? nil { return .action(409, refusal) }
      }
      let result =
        switch order {
        case .bedCleared: await actions.bedCleared(by: person)
        case .readOnly(let isOn): await actions.setReadOnly(isOn, by: person)
        case .wideningsSeen(let number): await actions.wideningsSeen(through: number, by: person)
        case .enabled(let name, let isOn): await actions.setEnabled(isOn, name, by: person)
        case .reload(let file): await actions.reload(only: file, by: person)
        case .pair(let name, let code): await actions.pair(name, code: code, by: person)
        case .unpair(let name): await actions.unpair(name, by: person)
        }
      return switch result {
      case .done(let message): .action(200, message)
      case .refused(let message): .action(409, message)
      case .failed(let message): .action(503, message)
      }
    }
  }
}
