internal import ConnectorKit
internal import HTTPServer
internal import Platform

/// The control server and the one for `/health` alone, where the configuration wants them.
final class ControlListeners: Sendable {
  private struct Listener {
    var address: HTTPServer.Address
    var token: ControlTokenHolder
    var server: ControlServer
  }
  private enum Purpose: String {
    case control = "control.listen"
    case health = "control.health_listen"
  }
  private let listening = Guarded<[Purpose: Listener]>([:])
  private let log: Log
  private let socket: ControlSocket
  private let actions: any ControlActions
  private let pages: BackendPages
  private let dashboard: DashboardServices
  private let view: @Sendable () async -> DaemonView
  private let local = Guarded<ControlServer?>(nil)

  /// - Parameters:
  ///   - socket: where the command line finds us.
  ///   - actions: what a person may change.
  ///   - pages: what backends have beside the dashboard.
  ///   - dashboard: what that asks for beside the view.
  ///   - view: the daemon at this moment.
  init(
    log: Log, socket: ControlSocket, actions: any ControlActions, pages: BackendPages,
    dashboard: DashboardServices,
    view: @escaping @Sendable () async -> DaemonView
  ) {
    self.log = log
    self.socket = socket
    self.actions = actions
    self.pages = pages
    self.dashboard = dashboard
    self.view = view
  }

  /// Listens for the command line, until ``stop()``. Blocks for a moment.
  func openSocket() {
    do {
      try socket.prepare()
      let server = try ControlServer(
        socketPath: socket.path, actions: actions, pages: pages,
        dashboard: dashboard, view: view)
      local.withLock { $0 = server }
    } catch {
      log(.error, "the command line cannot reach this daemon: \(error)")
    }
  }

  /// Listens where `section` says, and no longer where it does not. A port that is taken is logged, no more:
  /// the clouds matter more than the page. Blocks for a moment.
  func apply(_ section: Configuration.ControlSection) {
    replace(.control, with: section.listen, tokenFile: section.tokenFile)
    replace(.health, with: section.healthListen, tokenFile: nil)
  }

  /// Stops listening. Blocks until the servers' threads have gone.
  func stop() {
    let former = listening.withLock { listening in
      defer { listening = [:] }
      return listening
    }
    for listener in former.values { listener.server.stop() }
    local.withLock { $0 }?.stop()
  }

  private func replace(
    _ purpose: Purpose, with address: HTTPServer.Address?, tokenFile: String?
  ) {
    let former = listening.withLock { $0[purpose] }
    // Read anew each time: who overwrites or removes the file withdraws the token that was in it.
    let token = address == nil ? nil : token(tokenFile)
    if let former, former.address == address {
      former.token.token = token
      return
    }
    former?.server.stop()
    listening.withLock { $0[purpose] = nil }
    guard let address else { return }
    do {
      let holder = ControlTokenHolder(token)
      let server = try ControlServer(
        address: address, healthOnly: purpose == .health, token: holder,
        actions: actions, pages: pages, dashboard: dashboard, view: view)
      listening.withLock {
        $0[purpose] = Listener(address: address, token: holder, server: server)
      }
      let host = address.host.contains(":") ? "[\(address.host)]" : address.host
      let path = purpose == .health ? "/health" : "/"
      log(.info, "\(purpose.rawValue): http://\(host):\(server.port)\(path)")
    } catch {
      log(.error, "\(purpose.rawValue): \(error)")
    }
  }

  /// The token in the file; without a usable one, only who is local may change something.
  private func token(_ path: String?) -> ControlToken? {
    guard let path else { return nil }
    do {
      return try ControlToken(file: path)
    } catch {
      log(.error, "\(error)")
      return nil
    }
  }
}
