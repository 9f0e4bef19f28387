internal import ConnectorKit
internal import HTTPServer

/// Listens for Cura.
struct ListenLoop: Sendable {
  let hub: CuraHub
  let standing: CuraStanding

  /// Until cancelled.
  ///
  /// - Throws: `CancellationError`; `BackendFailure` where it cannot listen.
  func run() async throws {
    let server = CuraServer(hub)
    let context = hub.context
    let host = hub.configuration.listen.host
    try await context.listener.serve(
      at: hub.configuration.listen, options: server.options,
      onListening: { [standing] port in
        context.log(.info, "Cura's requests are taken at \(host) port \(port)")
        standing.listens()
      }, replying: { server.reply(to: $0) })
  }
}
