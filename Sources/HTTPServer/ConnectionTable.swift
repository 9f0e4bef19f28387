internal import Dispatch
internal import Glibc
internal import Platform

/// The open connections: how many there are, from where, and by when each must have finished a request.
///
/// libmicrohttpd's own timeout starts anew with every byte, so a visitor who sends one byte a second would hold a
/// connection for ever. Here the time runs from the opening, or from the end of the last request. One timer is armed
/// while connections are open, and none otherwise. Safe from any thread.
final class ConnectionTable: Sendable {
  private struct Entry {
    var peer: PeerAddress
    /// nil: it is our turn, and nobody is late.
    var deadline: ContinuousClock.Instant?
  }
  private struct State {
    /// By socket. A connection leaves before its socket is closed, so that a number in here is always ours.
    var entries: [Int32: Entry] = [:]
    var isTimerArmed = false
  }
  private let state = Guarded(State())
  private let queue = DispatchQueue(label: "http-deadlines")
  private let options: HTTPServer.Options

  /// A table without connections.
  init(options: HTTPServer.Options) { self.options = options }

  /// Whether one more connection from `peer` is taken.
  func accepts(_ peer: PeerAddress) -> Bool {
    state.withLock { state in
      state.entries.count < options.connections
        && state.entries.values.count { $0.peer == peer } < limit(of: peer)
    }
  }

  private func limit(of peer: PeerAddress) -> Int {
    guard peer.isLoopback, let limit = options.loopbackConnections else {
      return options.connectionsPerAddress
    }
    return limit
  }

  /// A connection was opened.
  func open(_ socket: Int32, peer: PeerAddress) {
    let deadline = ContinuousClock.now + (options.headerTimeout ?? options.timeout)
    let mustArm = state.withLock { state in
      state.entries[socket] = Entry(peer: peer, deadline: deadline)
      defer { state.isTimerArmed = true }
      return !state.isTimerArmed
    }
    if mustArm { arm(for: deadline) }
  }

  /// A request's first line is there: the time for the rest of its header starts.
  func beginRequest(_ socket: Int32) {
    guard let limit = options.headerTimeout else { return }
    let deadline = ContinuousClock.now + limit
    state.withLock { state in
      guard let former = state.entries[socket]?.deadline, deadline < former else { return }
      state.entries[socket]?.deadline = deadline
    }
  }

  /// A visitor has sent something of a body, or we have sent something of an answer.
  func progress(_ socket: Int32) {
    guard let limit = options.stallTimeout else { return }
    let deadline = ContinuousClock.now + limit
    state.withLock { $0.entries[socket]?.deadline = deadline }
  }

  /// A visitor has left, as far as can be told: what is missing of its request comes at once or never.
  func hurry(_ socket: Int32) {
    let deadline = ContinuousClock.now + .seconds(1)
    state.withLock { $0.entries[socket]?.deadline = deadline }
    // The timer may be armed for much later.
    queue.asyncAfter(deadline: .now() + .milliseconds(1_100)) { [weak self] in self?.shutOverdue() }
  }

  /// The visitor waits for us.
  func pause(_ socket: Int32) {
    guard options.stallTimeout != nil else { return }
    state.withLock { $0.entries[socket]?.deadline = nil }
  }

  /// A request ended: the time for the next one starts.
  func finishRequest(_ socket: Int32) {
    let deadline = ContinuousClock.now + options.timeout
    state.withLock { $0.entries[socket]?.deadline = deadline }
  }

  /// A connection is about to be closed.
  func close(_ socket: Int32) { state.withLock { _ = $0.entries.removeValue(forKey: socket) } }

  private func arm(for deadline: ContinuousClock.Instant) {
    let parts = (deadline - .now).components
    // Up to a tenth of a second late, so that one wake-up serves what falls due together.
    let milliseconds = parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000 + 100
    queue.asyncAfter(deadline: .now() + .milliseconds(Int(max(0, milliseconds)))) { [weak self] in
      self?.sweep()
    }
  }

  /// Shuts what is overdue; its thread then sees the end and closes it.
  private func shutOverdue() {
    let now = ContinuousClock.now
    state.withLock { state in
      for (socket, entry) in state.entries {
        guard let deadline = entry.deadline, deadline <= now else { continue }
        _ = shutdown(socket, Int32(SHUT_RDWR))
        state.entries[socket]?.deadline = now + options.timeout
      }
    }
  }

  private func sweep() {
    shutOverdue()
    let now = ContinuousClock.now
    let next = state.withLock { state -> ContinuousClock.Instant? in
      // Where a header has a time of its own, a deadline may come before those that stand now.
      let soon = state.entries.isEmpty ? nil : options.headerTimeout.map { now + $0 / 2 }
      let next = (state.entries.values.compactMap(\.deadline) + [soon].compactMap(\.self)).min()
      state.isTimerArmed = next != nil
      return next
    }
    if let next { arm(for: next) }
  }
}
