internal import CMicroHTTPD
internal import Platform

/// A small HTTP server on libmicrohttpd, on one thread of its own, at an address or a Unix socket.
///
/// It stops when ``stop()`` is called or the last reference goes.
@safe
package final class HTTPServer: Sendable {
  /// The port on which it listens; 0 at a Unix socket.
  package let port: Int

  private let callbacks: ServerCallbacks
  private let handle: Guarded<OpaquePointer?>
  private let socketFile: Guarded<SocketFile?>

  /// Starts listening at an address.
  ///
  /// - Parameters:
  ///   - address: where to listen.
  ///   - options: limits, and the names under which it may be called.
  ///   - handler: answers a request; runs on the server's thread, one request at a time, and must be quick. It must not
  ///     hold the server.
  /// - Throws: ``Failure`` when it cannot listen there; a busy port's holder is named.
  package convenience init(
    address: Address, options: Options = Options(),
    handler: @escaping @Sendable (Request) -> Response
  ) throws(Failure) {
    try self.init(address: address, options: options, replying: { .now(handler($0)) })
  }

  /// Starts listening at an address.
  ///
  /// - Parameters:
  ///   - address: where to listen.
  ///   - options: limits, and the names under which it may be called.
  ///   - handler: answers a request, now or later; runs on the server's thread, one request at a time, and must be
  ///     quick. It must not hold the server.
  /// - Throws: ``Failure`` when it cannot listen there; a busy port's holder is named.
  package convenience init(
    address: Address, options: Options = Options(),
    replying handler: @escaping @Sendable (Request) -> Reply
  ) throws(Failure) {
    try self.init(
      try ListeningSocket(address), file: nil, at: address.description, options: options,
      handler: handler)
  }

  /// Starts listening at a Unix socket (0600), which is made there and removed at the end.
  ///
  /// - Parameters:
  ///   - socketPath: where the socket shall be; one that nobody listens on any more is replaced, anything else stays.
  ///   - options: limits, and the names under which it may be called.
  ///   - handler: as for an address.
  /// - Throws: ``Failure`` when it cannot listen there.
  package convenience init(
    socketPath: String, options: Options = Options(),
    replying handler: @escaping @Sendable (Request) -> Reply
  ) throws(Failure) {
    let file = try SocketFile(path: socketPath)
    try self.init(
      try file.listen(), file: file, at: socketPath, options: options, handler: handler)
  }

  private init(
    _ socket: consuming ListeningSocket, file: SocketFile?, at place: String, options: Options,
    handler: @escaping @Sendable (Request) -> Reply
  ) throws(Failure) {
    port = file == nil ? socket.port : 0
    socketFile = Guarded(file)
    callbacks = ServerCallbacks(options: options, isLocalSocket: file != nil, handler: handler)
    guard let started = unsafe callbacks.start(listeningSocket: socket.take()) else {
      file?.remove()
      throw Failure(
        description:
          "cannot start the server on \(place): libmicrohttpd refused; is there memory left?"
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
    guard let running = unsafe running else { return }
    let file = socketFile.withLock { file in
      defer { file = nil }
      return file
    }
    file?.remove()
    // libmicrohttpd must not be stopped while a connection sleeps.
    callbacks.sleepers.wakeAll()
    unsafe MHD_stop_daemon(running)
  }

  /// Waits until nobody reads a request's body any more; call it after ``stop()``, which cancels them.
  package func settled() async { await callbacks.sleepers.settled() }
}
