internal import CMicroHTTPD
internal import Platform

/// The body of an answer that is made piece by piece.
///
/// The maker is asked for the next piece when the one before has gone, so that a slow visitor costs one piece of memory.
@safe
final class StreamedAnswer: @unchecked Sendable {
  // @unchecked: the connection is libmicrohttpd's, which may be woken from any thread; a sleeping one stays alive.
  @safe private struct State {
    var piece: [UInt8]
    var offset = 0
    var isOver = false
    var sleeping: OpaquePointer?
    var maker: CheckedContinuation<Bool, Never>?
    var task: Task<Void, Never>?
  }
  private let state: Guarded<State>
  @safe private let connection: OpaquePointer
  private let socket: Int32
  private let connections: ConnectionTable

  init(
    first: [UInt8], connection: OpaquePointer, socket: Int32, connections: ConnectionTable
  ) {
    state = unsafe Guarded(State(piece: first))
    unsafe self.connection = connection
    self.socket = socket
    self.connections = connections
  }

  /// Makes pieces until `make` has none, or the visitor leaves.
  func start(_ make: @escaping @Sendable () async -> [UInt8]?) {
    // The bridge from libmicrohttpd's thread to asynchronous code; it ends with the connection.
    let task = Task {
      while await isTaken(), let piece = await make(), !Task.isCancelled { put(piece) }
      end()
    }
    let isOver = state.withLock { state in
      state.task = task
      return state.isOver
    }
    if isOver { task.cancel() }
  }

  /// Waits until the piece before has gone; false when nobody wants more.
  private func isTaken() async -> Bool {
    await withCheckedContinuation { (maker: CheckedContinuation<Bool, Never>) in
      let answer = state.withLock { state -> Bool? in
        if state.isOver { return false }
        if state.offset >= state.piece.count { return true }
        state.maker = maker
        return nil
      }
      if let answer { maker.resume(returning: answer) }
    }
  }

  private func put(_ piece: [UInt8]) {
    state.withLock { state in
      state.piece = piece
      state.offset = 0
      wake(&state)
    }
  }

  /// Nothing more comes, or nobody is there any more.
  func end() {
    let (maker, task) = state.withLock { state in
      state.isOver = true
      wake(&state)
      defer { (state.maker, state.task) = (nil, nil) }
      return (state.maker, state.task)
    }
    task?.cancel()
    maker?.resume(returning: false)
  }

  /// Copies what is there for libmicrohttpd; runs on its thread.
  ///
  /// - Returns: how many bytes; 0 where the connection sleeps until there are some, -1 at the end.
  func read(into room: UnsafeMutableRawBufferPointer) -> Int {
    let (count, maker) = state.withLock { state -> (Int, CheckedContinuation<Bool, Never>?) in
      let rest = state.piece.count - state.offset
      if rest > 0 {
        let count = min(rest, room.count)
        unsafe room.copyBytes(from: state.piece[state.offset..<(state.offset + count)])
        state.offset += count
        connections.progress(socket)
        guard state.offset == state.piece.count else { return (count, nil) }
        state.piece = []
        state.offset = 0
        defer { state.maker = nil }
        return (count, state.maker)
      }
      if state.isOver { return (-1, nil) }
      connections.pause(socket)
      unsafe MHD_suspend_connection(connection)
      unsafe state.sleeping = connection
      return (0, nil)
    }
    maker?.resume(returning: true)
    return count
  }

  private func wake(_ state: inout State) {
    guard let connection = unsafe state.sleeping else { return }
    unsafe state.sleeping = nil
    connections.progress(socket)
    unsafe MHD_resume_connection(connection)
  }
}
