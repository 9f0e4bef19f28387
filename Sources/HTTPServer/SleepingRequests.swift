internal import CMicroHTTPD
internal import Platform

/// A request on its way, from its first line to its end. Reached from the server's thread, but for its answer.
final class Exchange: Sendable {
  /// What the server's thread has gathered.
  struct State: Sendable {
    var hasBegun = false
    var request: HTTPServer.Request?
    var answer: HTTPServer.Response?
  }
  /// The target as it stands in the request line.
  let target: [UInt8]
  /// The rest.
  let state = Guarded(State())

  init(target: [UInt8]) { self.target = target }
}

/// The requests whose answers are being made beside the server's thread; their connections sleep.
///
/// Safe from any thread.
@safe
final class SleepingRequests: @unchecked Sendable {
  // @unchecked: connections are libmicrohttpd's, which may be woken from any thread; a sleeping one stays alive.
  @safe private struct Sleeper {
    var connection: OpaquePointer
    var exchange: Exchange
  }
  private struct State {
    var isOver = false
    var sleepers: [ObjectIdentifier: Sleeper] = [:]
  }
  private let state = Guarded(State())
  private static let ending = HTTPServer.Response(
    status: 503, text: "The daemon is ending.", fields: [("Connection", "close")])

  /// Lets `connection` sleep until `work` has its answer.
  ///
  /// - Returns: false once all have been woken: then it does not sleep, and nothing is done.
  func sleep(
    _ connection: OpaquePointer, _ exchange: Exchange,
    until work: @escaping @Sendable () async -> HTTPServer.Response
  ) -> Bool {
    let sleeps = state.withLock { state in
      guard !state.isOver else { return false }
      unsafe MHD_suspend_connection(connection)
      state.sleepers[ObjectIdentifier(exchange)] = unsafe Sleeper(
        connection: connection, exchange: exchange)
      return true
    }
    guard sleeps else { return false }
    // The one bridge from libmicrohttpd's thread to asynchronous code; there is no task that could be its parent.
    Task { [self] in wake(exchange, with: await work()) }
    return true
  }

  /// Wakes all with 503; from now on none sleeps.
  func wakeAll() {
    state.withLock { state in
      state.isOver = true
      for sleeper in state.sleepers.values { Self.wake(sleeper, with: Self.ending) }
      state.sleepers = [:]
    }
  }

  private func wake(_ exchange: Exchange, with answer: HTTPServer.Response) {
    state.withLock { state in
      guard let sleeper = state.sleepers.removeValue(forKey: ObjectIdentifier(exchange))
      else { return }
      Self.wake(sleeper, with: answer)
    }
  }

  private static func wake(_ sleeper: Sleeper, with answer: HTTPServer.Response) {
    sleeper.exchange.state.withLock { $0.answer = answer }
    unsafe MHD_resume_connection(sleeper.connection)
  }
}
