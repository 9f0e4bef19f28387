package import HTTPServer

/// The control server: the read-only status page, `/health` and `/metrics`.
package final class ControlServer: Sendable {
  /// The port on which it listens.
  package let port: Int

  /// Starts listening.
  ///
  /// - Parameters:
  ///   - healthOnly: serve `/health` and nothing else.
  ///   - view: the daemon at this moment; asked once per request, from the server's thread.
  package init(
    address: HTTPServer.Address, healthOnly: Bool = false,
    view: @escaping @Sendable () -> DaemonView
  ) throws(HTTPServer.Failure) {
    port = 0
  }

  /// Ends the server. Idempotent.
  package func stop() {}
}
