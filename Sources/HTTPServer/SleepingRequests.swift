internal import CMicroHTTPD
internal import Platform

/// A request on its way, from its first line to its end. Reached from the server's thread, but for its answer.
final class Exchange: Sendable {
  /// What the server's thread has gathered.
  struct State: Sendable {
    var hasBegun = false
    var request: HTTPServer.Request?
    var answer: HTTPServer.Response?
    /// What the handler made of the header, where it is asked that early.
    var reply: HTTPServer.Reply?
    var body: RequestBody?
    var stream: StreamedAnswer?
    /// Bytes of a body that nobody wants.
    var drained = 0
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
    /// Bodies that are being read, with their readers.
    var bodies: [ObjectIdentifier: (body: RequestBody, task: Task<Void, Never>)] = [:]
    var streams: [ObjectIdentifier: StreamedAnswer] = [:]
  }
  private let state = Guarded(State())
  static let ending = HTTPServer.Response(
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

  /// Lets `work` read `body`, and hands on its answer.
  ///
  /// - Returns: false once all have been woken.
  func read(
    _ body: RequestBody, by work: @escaping @Sendable (RequestBody) async -> HTTPServer.Response
  ) -> Bool {
    state.withLock { state in
      guard !state.isOver else { return false }
      let id = ObjectIdentifier(body)
      // A bridge as above.
      let task = Task { [self] in
        body.answer(await work(body))
        self.state.withLock { _ = $0.bodies.removeValue(forKey: id) }
      }
      state.bodies[id] = (body, task)
      return true
    }
  }

  /// Keeps a streamed answer until ``forget(_:)``; false once all have been woken.
  func keep(_ stream: StreamedAnswer) -> Bool {
    state.withLock { state in
      guard !state.isOver else { return false }
      state.streams[ObjectIdentifier(stream)] = stream
      return true
    }
  }

  /// A streamed answer is over.
  func forget(_ stream: StreamedAnswer) {
    state.withLock { _ = $0.streams.removeValue(forKey: ObjectIdentifier(stream)) }
  }

  /// Wakes all with 503; from now on none sleeps.
  func wakeAll() {
    let (bodies, streams) = state.withLock { state in
      state.isOver = true
      for sleeper in state.sleepers.values { Self.wake(sleeper, with: Self.ending) }
      state.sleepers = [:]
      defer { state.streams = [:] }
      return (Array(state.bodies.values), Array(state.streams.values))
    }
    for (body, task) in bodies {
      task.cancel()
      body.fail()
    }
    for stream in streams { stream.end() }
  }

  /// Waits until nobody reads a body any more; after ``wakeAll()``.
  func settled() async {
    let tasks = state.withLock { $0.bodies.values.map(\.task) }
    for task in tasks { await task.value }
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
