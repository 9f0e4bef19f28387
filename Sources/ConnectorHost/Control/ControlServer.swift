internal import ConnectorKit
package import HTTPServer
internal import JSON

/// The control server: the dashboard, its data, `/health` and `/metrics`, and the few things that a person may change.
///
/// Reading is open to whoever reaches the listener; who may change something, `ControlAccess` says.
package final class ControlServer: Sendable {
  /// The port on which it listens; 0 at a Unix socket.
  package let port: Int

  private let server: HTTPServer

  /// Starts listening at an address.
  ///
  /// - Parameters:
  ///   - healthOnly: serve `/health` and nothing else.
  ///   - token: what visitors from elsewhere need to change something; without one they may not.
  ///   - actions: what may be changed; nil: nothing.
  ///   - pages: what backends have beside the dashboard.
  ///   - dashboard: what the dashboard asks for beside the view; nil: its events are not served.
  ///   - view: the daemon at this moment; asked once per request.
  /// - Throws: `HTTPServer.Failure` when it cannot listen there; it names what holds a busy port.
  package init(
    address: HTTPServer.Address, healthOnly: Bool = false,
    token: ControlTokenHolder = ControlTokenHolder(),
    actions: (any ControlActions)? = nil, pages: BackendPages = BackendPages(),
    dashboard: DashboardServices? = nil,
    view: @escaping @Sendable () async -> DaemonView
  ) throws(HTTPServer.Failure) {
    let desk = ControlDesk(
      healthOnly: healthOnly, access: ControlAccess(token), actions: actions, pages: pages,
      dashboard: dashboard, view: view)
    server = try HTTPServer(
      address: address, options: Self.options(acceptsPost: !healthOnly),
      replying: { desk.reply(to: $0) })
    port = server.port
  }

  /// Starts listening at a Unix socket, for the command line; who reaches it (0600) is local.
  ///
  /// - Parameters:
  ///   - socketPath: where; one that a former daemon left is replaced.
  ///   - actions: what may be changed.
  ///   - pages: what backends have beside the dashboard.
  ///   - dashboard: what the dashboard asks for beside the view; nil: its events are not served.
  ///   - view: the daemon at this moment; asked once per request.
  /// - Throws: `HTTPServer.Failure` when it cannot listen there.
  package init(
    socketPath: String, actions: (any ControlActions)?, pages: BackendPages = BackendPages(),
    dashboard: DashboardServices? = nil,
    view: @escaping @Sendable () async -> DaemonView
  ) throws(HTTPServer.Failure) {
    let desk = ControlDesk(
      healthOnly: false, access: ControlAccess(ControlTokenHolder()), actions: actions,
      pages: pages, dashboard: dashboard, view: view)
    server = try HTTPServer(
      socketPath: socketPath, options: Self.options(acceptsPost: true),
      replying: { desk.reply(to: $0) })
    port = 0
  }

  /// A page's stream stays as long as somebody reads it; who does not take what is sent is let go.
  private static func options(acceptsPost: Bool) -> HTTPServer.Options {
    var options = HTTPServer.Options(acceptsPost: acceptsPost, acceptsForms: acceptsPost)
    options.headerTimeout = options.timeout
    options.stallTimeout = .seconds(30)
    return options
  }

  /// Ends the server. Idempotent.
  package func stop() { server.stop() }
}
