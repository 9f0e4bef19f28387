internal import ConnectorKit
internal import HTTPServer
internal import Platform

/// Servers of backends whose far sides come to us; each has a thread of its own while it runs.
struct HostListener: ListenerService {
  /// So long until a port that is taken is tried again.
  private static let pause = Duration.seconds(10)

  func serve(
    at address: HTTPServer.Address, options: HTTPServer.Options,
    onListening: @escaping @Sendable (_ port: Int) -> Void,
    replying handler: @escaping @Sendable (HTTPServer.Request) -> HTTPServer.Reply
  ) async throws {
    let server: HTTPServer
    do {
      server = try await offload {
        try HTTPServer(address: address, options: options, replying: handler)
      }
    } catch let failure as HTTPServer.Failure {
      throw BackendFailure(.retry(after: Self.pause), failure.description)
    }
    onListening(server.port)
    let end = Broadcast<Bool>(.newest).subscribe()
    _ = await end.next()
    // Its thread ends, and those who still read a body are told so.
    try? await offload { server.stop() }
    await server.settled()
    throw CancellationError()
  }
}
