internal import CMicroHTTPD
internal import Platform

/// A small HTTP server on libmicrohttpd, on one thread of its own.
///
/// GET and HEAD only for now. It stops when ``stop()`` is called or the last reference goes.
@safe
package final class HTTPServer: Sendable {
  /// The port on which it listens.
  package let port: Int

  private let callbacks: ServerCallbacks
  private let handle: Guarded<OpaquePointer?>

  /// Starts listening.
  ///
  /// - Parameters:
  ///   - address: where to listen.
  ///   - options: limits, and the names under which it may be called.
  ///   - handler: answers a request; runs on the server's thread, one request at a time, and must be quick. It must not
  ///     hold the server.
  /// - Throws: ``Failure`` when it cannot listen there; a busy port's holder is named.
  package init(
    address: Address, options: Options = Options(),
    handler: @escaping @Sendable (Request) -> Response
  ) throws(Failure) {
    let socket = try ListeningSocket(address)
    port = socket.port
    callbacks = ServerCallbacks(options: options, handler: handler)
    guard let started = unsafe callbacks.start(listeningSocket: socket.take()) else {
      throw Failure(
        description:
          "cannot start the server on \(address): libmicrohttpd refused; is there memory left?"
      )
    }
    unsafe handle = Guarded(started)
  }

  deinit { stop() }

  /// Ends the server; waits until its thread has gone. Idempotent. Not from the handler.
  package func stop() {
    let running = unsafe handle.withLock { handle in
      defer { unsafe handle = nil }
      return unsafe handle
    }
    if let running = unsafe running { unsafe MHD_stop_daemon(running) }
  }
}
