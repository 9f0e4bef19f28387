internal import ConnectorKit
internal import HTTPServer
internal import Platform

/// The control server and the one for `/health` alone, where the configuration wants them.
final class ControlListeners: Sendable {
  private struct Listener {
    var address: HTTPServer.Address
    var server: ControlServer
  }
  private enum Purpose: String {
    case control = "control.listen"
    case health = "control.health_listen"
  }
  private let listening = Guarded<[Purpose: Listener]>([:])
  private let log: Log
  private let view: @Sendable () -> DaemonView

  /// - Parameter view: the daemon at this moment; asked from the servers' threads.
  init(log: Log, view: @escaping @Sendable () -> DaemonView) {
    self.log = log
    self.view = view
  }

  /// Listens where `section` says, and no longer where it does not. A port that is taken is logged, no more:
  /// the clouds matter more than the page. Blocks for a moment.
  func apply(_ section: Configuration.ControlSection) {
    replace(.control, with: section.listen)
    replace(.health, with: section.healthListen)
  }

  /// Stops listening. Blocks until the servers' threads have gone.
  func stop() {
    let former = listening.withLock { listening in
      defer { listening = [:] }
      return listening
    }
    for listener in former.values { listener.server.stop() }
  }

  private func replace(_ purpose: Purpose, with address: HTTPServer.Address?) {
    let former = listening.withLock { $0[purpose] }
    guard former?.address != address else { return }
    former?.server.stop()
    listening.withLock { $0[purpose] = nil }
    guard let address else { return }
    do {
      let server = try ControlServer(
        address: address, healthOnly: purpose == .health, view: view)
      listening.withLock { $0[purpose] = Listener(address: address, server: server) }
      let host = address.host.contains(":") ? "[\(address.host)]" : address.host
      let path = purpose == .health ? "/health" : "/"
      log(.info, "\(purpose.rawValue): http://\(host):\(server.port)\(path)")
    } catch {
      log(.error, "\(purpose.rawValue): \(error)")
    }
  }
}
