internal import ConnectorKit
internal import HTTPServer
internal import Platform

/// `/plain`: the same as the dashboard, for reading without JavaScript. All that comes from outside is escaped.
enum PlainPage {
  /// The page for `view`.
  static func document(_ view: DaemonView) -> HTTPServer.Response {
    var page = HTMLText()
    page.markup(
      """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>printer-uplink</title>
      <link rel="stylesheet" href="style.css">
      </head>
      <body>

      """)
    page.element("<header><h1>", view.printerName, "</h1>\n")
    page.element(
      "<p class=\"pill\">", PrinterCondition(view.status).rawValue, "</p></header>\n<main>\n")
    if !view.widenings.isEmpty { add(view.widenings, to: &page) }
    if let commands = view.commands { add(commands, to: &page) }
    add(view.backends, owed: view.commands?.owed ?? [:], to: &page)
    if let recent = view.commands?.recent { add(recent, to: &page) }
    page.markup("</main>\n<footer>")
    page.element("<p>", "\(Product.name) \(Product.version)", "</p>\n")
    page.markup(
      """
      <nav aria-label="Data"><a href="plain">Reload</a> <a href="health">Health</a>
      <a href="metrics">Metrics</a> <a href="api/status">JSON</a></nav></footer>
      </body>
      </html>

      """)
    return HTTPServer.Response(
      status: 200, type: "text/html; charset=utf-8", body: Array(page.text.utf8),
      fields: [("Content-Security-Policy", PageResponse.policy)])
  }

  private static func add(_ commands: CommandsView, to page: inout HTMLText) {
    page.markup("<section><h2>Safety</h2>\n")
    page.element("<p>", bed(commands.bed), "</p>\n")
    page.element(
      "<p>",
      commands.readOnly.isOn
        ? "Read-only is on: the clouds may look and stop in an emergency, and nothing else."
        : "Read-only is off.", "</p>\n")
    if let busy = commands.busy {
      page.element("<p>", "\(busy.backend) holds the printer: \(busy.action)", "</p>\n")
    }
    for problem in [commands.journalProblem, commands.auditProblem].compactMap(\.self) {
      page.element("<p class=\"problem\">", problem, "</p>\n")
    }
    page.markup("</section>\n")
  }

  private static func add(_ widenings: [WideningNotice], to page: inout HTMLText) {
    page.markup("<section><h2>The configuration allows more than before</h2>\n<ul>\n")
    for notice in widenings {
      page.element("<li>", "\(notice.at.localStamp): \(notice.text)", "</li>\n")
    }
    page.markup("</ul></section>\n")
  }

  /// The bed in one sentence.
  static func bed(_ bed: CommandsView.Bed) -> String {
    let state = bed.isClear ? "The bed is empty" : "The bed counts as occupied"
    let who = bed.by.map { " (\($0))" } ?? ""
    return "\(state)\(who)\(bed.since.map { " since \($0.localStamp)" } ?? "")."
  }

  private static func add(
    _ backends: [DaemonView.Backend], owed: [String: CommandsView.Owed], to page: inout HTMLText
  ) {
    page.markup(
      """
      <section><h2>Clouds</h2>
      <table><thead><tr><th scope="col">Cloud</th><th scope="col">State</th>
      <th scope="col">Permissions</th><th scope="col">Owed results</th></tr></thead>
      <tbody>

      """)
    for backend in backends {
      page.element("<tr><th scope=\"row\">", "\(backend.title) \(backend.name)", "</th>")
      page.element("<td>", state(backend.state), "</td>")
      page.element("<td>", backend.permissions, "</td>")
      let owed = owed[backend.name]
      let text = [
        owed.map { "\($0.count)" } ?? "–",
        owed.flatMap { $0.dropped > 0 ? "\($0.dropped) dropped" : nil }, owed?.problem,
      ]
      page.element("<td>", text.compactMap(\.self).joined(separator: ", "), "</td></tr>\n")
    }
    page.markup("</tbody></table></section>\n")
  }

  private static func state(_ state: BackendState) -> String {
    switch state {
    case .degraded(let problem, let remedy), .parked(let problem, let remedy):
      "\(state.name): \(problem)" + (remedy.isEmpty ? "" : "; \(remedy)")
    case .backingOff(let problem, _): "\(state.name): \(problem)"
    case .disabled, .starting, .online, .stopped: state.name
    }
  }

  private static func add(_ recent: [AuditRecord], to page: inout HTMLText) {
    page.markup("<section><h2>Last commands</h2>\n")
    guard !recent.isEmpty else { return page.markup("<p>None yet.</p></section>\n") }
    page.markup(
      """
      <table><thead><tr><th scope="col">When</th><th scope="col">Who</th>
      <th scope="col">What</th><th scope="col">What came of it</th></tr></thead>
      <tbody>

      """)
    for record in recent.reversed() {
      page.element("<tr><td>", record.at.localStamp, "</td>")
      page.element("<td>", record.backend, "</td>")
      page.element("<td>", record.action, "</td>")
      let why = record.outcome.explanation
      page.element(
        "<td>", record.outcome.status.words + (why.isEmpty ? "" : ": \(why)"), "</td></tr>\n")
    }
    page.markup("</tbody></table></section>\n")
  }
}
