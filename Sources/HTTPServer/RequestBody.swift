internal import CMicroHTTPD
internal import Glibc
internal import Platform

/// The body of a request, as it comes in: read it from one task.
///
/// While nobody reads, nothing more is taken from the network than one piece, so that a body of any size needs the
/// memory of two.
@safe
package final class RequestBody: @unchecked Sendable {
  // @unchecked: the connection is libmicrohttpd's, which may be woken from any thread; a sleeping one stays alive.

  /// The visitor left, was too slow, or the server stopped before the body was whole.
  package struct BrokenOff: Error, Sendable {}
  /// A body longer than the reader wants.
  package struct TooLong: Error, Sendable {}

  /// About so many bytes come at a time.
  static let pieceBytes = 128 << 10

  /// So many bytes count as progress: who drips is not waited for.
  static let stepBytes = 16 << 10

  private enum End { case whole, broken }
  private enum Step { case piece([UInt8]), end, broken }
  @safe private struct State {
    var buffer: [UInt8] = []
    var reader: CheckedContinuation<Step, Never>?
    var sleeping: OpaquePointer?
    var end: End?
    var answer: HTTPServer.Response?
    var drained = 0
    var received = 0
    /// The most that is thrown away.
    var mostDrained = 0
  }
  private let state: Guarded<State>
  private let socket: Int32
  private let connections: ConnectionTable
  private let smallDrainBytes: Int
  /// The body's announced length; nil where it comes in chunks.
  private let length: Int?

  init(
    socket: Int32, connections: ConnectionTable, drainBytes: Int, smallDrainBytes: Int,
    length: Int?
  ) {
    var first = State()
    first.mostDrained = drainBytes
    state = Guarded(first)
    self.length = length
    self.socket = socket
    self.connections = connections
    self.smallDrainBytes = smallDrainBytes
  }

  // MARK: The reader's side

  /// The next piece; nil after the last one.
  ///
  /// - Throws: ``BrokenOff``.
  package func next() async throws(BrokenOff) -> [UInt8]? {
    let step = await withCheckedContinuation { (reader: CheckedContinuation<Step, Never>) in
      let step = state.withLock { state -> Step? in
        if state.end == .broken { return .broken }
        let isAsleep = unsafe state.sleeping != nil
        if !state.buffer.isEmpty, isAsleep || state.end != nil {
          let piece = state.buffer
          state.buffer = []
          if state.end == nil { wake(&state) }
          return .piece(piece)
        }
        if state.end == .whole { return .end }
        state.reader = reader
        return nil
      }
      if let step { reader.resume(returning: step) }
    }
    switch step {
    case .piece(let bytes): return bytes
    case .end: return nil
    case .broken: throw BrokenOff()
    }
  }

  /// All of a small body.
  ///
  /// - Parameter limit: in bytes; what is longer is not kept.
  /// - Throws: ``BrokenOff``, ``TooLong``.
  package func collect(upTo limit: Int) async throws -> [UInt8] {
    state.withLock { $0.mostDrained = smallDrainBytes }
    var bytes: [UInt8] = []
    while let piece = try await next() {
      guard bytes.count + piece.count <= limit else { throw TooLong() }
      bytes += piece
    }
    return bytes
  }

  /// Wants nothing more: whatever still comes ends the connection, without an answer.
  package func giveUp() { state.withLock { $0.mostDrained = -1 } }

  /// The answer is there: what is left of the body is thrown away, and then it goes out.
  func answer(_ answer: HTTPServer.Response) {
    state.withLock { state in
      state.answer = answer
      state.buffer = []
      wake(&state)
    }
  }

  // MARK: The server's thread

  /// The header has been read, and with it perhaps all that will ever come.
  func noteHeader() {
    // libmicrohttpd misses an end that came together with the header; a whole body may still be in its hands.
    if hasLeft { connections.hurry(socket) }
  }

  /// Takes what has come; false where the connection is to be closed.
  func take(_ piece: UnsafeRawBufferPointer, on connection: OpaquePointer) -> Bool {
    let (isMoving, received) = state.withLock { state in
      let former = state.received / Self.stepBytes
      state.received += piece.count
      return (state.received / Self.stepBytes != former, state.received)
    }
    if isMoving { connections.progress(socket) }
    if hasLeft {
      // libmicrohttpd misses an end that came together with these bytes.
      if let length, received < length { return false }
      if length == nil { connections.hurry(socket) }
    }
    let (goesOn, handed) = state.withLock {
      state -> (Bool, (CheckedContinuation<Step, Never>, [UInt8])?) in
      guard state.end == nil else { return (false, nil) }
      if state.answer != nil {
        state.drained += piece.count
        return (state.drained <= state.mostDrained, nil)
      }
      if state.buffer.isEmpty { state.buffer.reserveCapacity(Self.pieceBytes + (32 << 10)) }
      unsafe state.buffer.append(contentsOf: piece)
      guard state.buffer.count >= Self.pieceBytes else { return (true, nil) }
      if let reader = state.reader {
        let bytes = state.buffer
        state.reader = nil
        state.buffer = []
        return (true, (reader, bytes))
      }
      // libmicrohttpd may have more chunks in its hands although it sleeps; put to sleep twice, it loses the connection and
      // its own lists.
      if unsafe state.sleeping == nil { unsafe sleep(connection, &state) }
      return (true, nil)
    }
    if let (reader, bytes) = handed { reader.resume(returning: .piece(bytes)) }
    return goesOn
  }

  /// Whether the visitor has ended its side, and all that it sent has been read.
  private var hasLeft: Bool {
    var byte: UInt8 = 0
    return unsafe recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 0
  }

  /// The body is whole. The answer, or nil where the connection sleeps until it is there.
  func complete(on connection: OpaquePointer) -> HTTPServer.Response? {
    let (answer, handed) = state.withLock {
      state -> (HTTPServer.Response?, (CheckedContinuation<Step, Never>, Step)?) in
      var handed: (CheckedContinuation<Step, Never>, Step)?
      if state.end == nil {
        state.end = .whole
        if let reader = state.reader {
          handed = (reader, state.buffer.isEmpty ? .end : .piece(state.buffer))
          state.reader = nil
          state.buffer = []
        }
      }
      if let answer = state.answer { return (answer, handed) }
      if state.end == .broken { return (SleepingRequests.ending, handed) }
      unsafe sleep(connection, &state)
      return (nil, handed)
    }
    if let (reader, step) = handed { reader.resume(returning: step) }
    return answer
  }

  /// Nothing more comes: the connection is gone, or the server stops.
  func fail() {
    let reader = state.withLock { state in
      if state.end != .whole || state.answer == nil { state.end = .broken }
      state.buffer = []
      wake(&state)
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(returning: .broken)
  }

  private func sleep(_ connection: OpaquePointer, _ state: inout State) {
    connections.pause(socket)
    unsafe MHD_suspend_connection(connection)
    unsafe state.sleeping = connection
  }

  private func wake(_ state: inout State) {
    guard let connection = unsafe state.sleeping else { return }
    unsafe state.sleeping = nil
    connections.progress(socket)
    unsafe MHD_resume_connection(connection)
  }
}
