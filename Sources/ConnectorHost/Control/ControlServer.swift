internal import ConnectorKit
package import HTTPServer
internal import JSON

/// The control server: the read-only status page, its data, `/health` and `/metrics`.
///
/// Nothing here changes anything, so reading is open to whoever reaches the listener.
package final class ControlServer: Sendable {
  /// The port on which it listens.
  package let port: Int

  private let server: HTTPServer

  /// Starts listening.
  ///
  /// - Parameters:
  ///   - healthOnly: serve `/health` and nothing else.
  ///   - view: the daemon at this moment; asked once per request, from the server's thread.
  /// - Throws: `HTTPServer.Failure` when it cannot listen there; it names what holds a busy port.
  package init(
    address: HTTPServer.Address, healthOnly: Bool = false,
    view: @escaping @Sendable () -> DaemonView
  ) throws(HTTPServer.Failure) {
    server = try HTTPServer(address: address) { request in
      Self.answer(request.path, healthOnly: healthOnly, view: view)
    }
    port = server.port
  }

  /// Ends the server. Idempotent.
  package func stop() { server.stop() }

  private static func answer(
    _ path: String, healthOnly: Bool, view: () -> DaemonView
  ) -> HTTPServer.Response {
    if path == "/health" {
      let report = HealthReport(view())
      // The body is `OK` and nothing more, as monitors of the relay's former agent compare it.
      return HTTPServer.Response(
        status: report.status, type: "text/plain; charset=utf-8", body: Array(report.text.utf8))
    }
    guard !healthOnly else { return .init(status: 404, text: "There is only /health here.") }
    switch path {
    case "/": return StatusPage.document
    case "/app.js": return StatusPage.script
    case "/style.css": return StatusPage.style
    case "/api/status":
      var body = StatusDocument.make(view()).serialized()
      body.append(UInt8(ascii: "\n"))
      return .init(status: 200, type: "application/json", body: body)
    case "/metrics":
      return .init(
        status: 200, type: "text/plain; version=0.0.4; charset=utf-8",
        body: Array(MetricsText(view()).text.utf8))
    default: return StatusPage.notFound
    }
  }
}
