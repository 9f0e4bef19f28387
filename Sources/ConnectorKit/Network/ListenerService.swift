package import HTTPServer

/// Lets a far side come to us: an HTTP server of the backend's own, for as long as it runs.
package protocol ListenerService: Sendable {
  /// Listens until the task is cancelled; on return the port is free again and no visitor is served any more.
  ///
  /// - Parameters:
  ///   - address: where; port 0 takes a free one.
  ///   - options: limits, methods, and the names under which visitors may call.
  ///   - onListening: called once, with the port, as soon as visitors are served.
  ///   - handler: answers a request; runs on the server's thread, one request at a time, and must be quick.
  /// - Throws: `BackendFailure` where it cannot listen there: `retry`, as a port becomes free and an address appears.
  ///   `CancellationError` at the end.
  func serve(
    at address: HTTPServer.Address, options: HTTPServer.Options,
    onListening: @escaping @Sendable (_ port: Int) -> Void,
    replying handler: @escaping @Sendable (HTTPServer.Request) -> HTTPServer.Reply
  ) async throws
}

/// A host without listeners.
package struct UnavailableListener: ListenerService {
  /// Listens nowhere.
  package init() {}
  /// Always throws.
  package func serve(
    at address: HTTPServer.Address, options: HTTPServer.Options,
    onListening: @escaping @Sendable (_ port: Int) -> Void,
    replying handler: @escaping @Sendable (HTTPServer.Request) -> HTTPServer.Reply
  ) async throws { throw BackendFailure(.park, "this host does not listen for backends") }
}
