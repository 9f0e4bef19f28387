internal import ConnectorKit
internal import HTTPServer
internal import Platform

/// Listens for those who look at the camera. Printing does not depend on it.
struct CameraLoop: Sendable {
  private static let pause = Duration.seconds(30)
  let hub: CuraHub
  let place: HTTPServer.Address

  /// Until cancelled.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    let context = hub.context
    let server = CameraServer(
      context: context, access: PeerAccess(allowed: hub.configuration.allowed))
    var told: String?
    while true {
      do {
        try await context.listener.serve(
          at: place, options: CameraServer.options, onListening: { _ in },
          replying: { server.reply(to: $0) })
      } catch let failure as BackendFailure {
        if told != failure.problem { context.log(.warning, "camera_proxy: \(failure)") }
        told = failure.problem
      }
      try await context.time.sleep(for: Self.pause)
    }
  }
}
