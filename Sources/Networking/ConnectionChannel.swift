internal import Platform

/// What a connection's users and the network thread share: messages both ways, and who waits for what.
///
/// Safe from any thread. Continuations are resumed outside the lock.
final class ConnectionChannel: Sendable {
  typealias Waiter<Value: Sendable> = CheckedContinuation<Result<Value, NetworkError>, Never>

  /// What may lie here unreceived before the socket is left alone, in bytes.
  static let inboundLimit = 1 << 20
  /// What may lie here unsent before `send` refuses, in bytes.
  static let outboundLimit = 64 << 20
  /// What a queued message costs beside its bytes.
  private static let overhead = 64

  /// A ping that waits for its answer.
  private struct Ping {
    var waiter: Waiter<Void>
    var deadline: ContinuousClock.Instant
    var isSent = false
  }

  private struct State {
    var nextID = 0
    var opening: Waiter<Void>?
    var inbound = MessageQueue()
    var isReadingPaused = false
    var receiver: (id: Int, waiter: Waiter<ReceivedMessage>)?
    var outbound: [(id: Int, message: [UInt8])] = []
    var outboundBytes = 0
    var senders: [Int: (waiter: Waiter<Void>, size: Int)] = [:]
    var pings: [UInt64: Ping] = [:]
    var isClosing = false
    var lastWords: [[UInt8]] = []
    var end: NetworkError?

    mutating func removeSender(_ id: Int) -> Waiter<Void>? {
      guard let sender = senders.removeValue(forKey: id) else { return nil }
      outboundBytes -= sender.size
      return sender.waiter
    }
  }

  private let label: String
  private let state = Guarded(State())

  init(label: String) { self.label = label }

  // MARK: The users' side

  /// A number for one call, by which it can be cancelled.
  func makeID() -> Int {
    state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
  }

  func expectOpening(_ waiter: Waiter<Void>) { state.withLock { $0.opening = waiter } }

  /// Queues `message`; `waiter` is told when it has left.
  ///
  /// - Returns: whether the network thread should look.
  func send(_ id: Int, _ message: [UInt8], _ waiter: Waiter<Void>) -> Bool {
    let failure = state.withLock { state -> NetworkError? in
      if Task.isCancelled { return .cancelled }
      if let end = state.end { return end }
      let size = message.count + Self.overhead
      guard state.outboundBytes <= Self.outboundLimit - size || state.senders.isEmpty else {
        return NetworkError(.tooLarge, "\(label): too much waits to be sent")
      }
      state.outbound.append((id, message))
      state.outboundBytes += size
      state.senders[id] = (waiter, size)
      return nil
    }
    if let failure { waiter.resume(returning: .failure(failure)) }
    return failure == nil
  }

  /// Gives up waiting for a message to leave; one that has not begun to is not sent.
  func cancelSend(_ id: Int) {
    let sender = state.withLock { state in
      state.outbound.removeAll { $0.id == id }
      return state.removeSender(id)
    }
    sender?.resume(returning: .failure(.cancelled))
  }

  /// Takes the next message, now or later.
  ///
  /// - Returns: whether the network thread should look, because it may read on.
  func receive(_ id: Int, _ waiter: Waiter<ReceivedMessage>) -> Bool {
    enum Outcome { case now(Result<ReceivedMessage, NetworkError>), later }
    let (outcome, mayReadOn) = state.withLock { state -> (Outcome, Bool) in
      if let message = state.inbound.next() {
        let mayReadOn =
          state.isReadingPaused && state.inbound.bytes <= Self.inboundLimit / 2
        if mayReadOn { state.isReadingPaused = false }
        return (.now(.success(message)), mayReadOn)
      }
      if Task.isCancelled { return (.now(.failure(.cancelled)), false) }
      if let end = state.end { return (.now(.failure(end)), false) }
      if state.receiver != nil {
        let error = NetworkError(.other, "\(label): two tasks receive at once")
        return (.now(.failure(error)), false)
      }
      state.receiver = (id, waiter)
      return (.later, false)
    }
    if case .now(let result) = outcome { waiter.resume(returning: result) }
    return mayReadOn
  }

  /// Gives up waiting for a message.
  func cancelReceive(_ id: Int) {
    let waiter = state.withLock { state -> Waiter<ReceivedMessage>? in
      guard let receiver = state.receiver, receiver.id == id else { return nil }
      state.receiver = nil
      return receiver.waiter
    }
    waiter?.resume(returning: .failure(.cancelled))
  }

  /// Asks for a ping with `payload`; `waiter` is told when it has been answered.
  ///
  /// - Returns: whether the network thread should look.
  func ping(_ payload: UInt64, until deadline: ContinuousClock.Instant, _ waiter: Waiter<Void>)
    -> Bool
  {
    let failure = state.withLock { state -> NetworkError? in
      if Task.isCancelled { return .cancelled }
      if let end = state.end { return end }
      state.pings[payload] = Ping(waiter: waiter, deadline: deadline)
      return nil
    }
    if let failure { waiter.resume(returning: .failure(failure)) }
    return failure == nil
  }

  /// Gives up waiting for a ping's answer.
  func cancelPing(_ payload: UInt64) { resumePing(payload, with: .failure(.cancelled)) }

  /// Ends the connection from this side, with these messages at its end; the network thread should look.
  func close(saying lastWords: [[UInt8]]) {
    state.withLock { state in
      if !state.isClosing { state.lastWords = lastWords }
      state.isClosing = true
    }
    finish(NetworkError(.closed, "\(label): closed by this side"))
  }

  // MARK: The network thread's side

  /// The connection is there.
  func opened() {
    let waiter = state.withLock { state in
      defer { state.opening = nil }
      return state.opening
    }
    waiter?.resume(returning: .success(()))
  }

  /// Hands a message to the users.
  func received(_ message: ReceivedMessage) {
    let waiter = state.withLock { state -> Waiter<ReceivedMessage>? in
      if state.isClosing { return nil }
      if let receiver = state.receiver {
        state.receiver = nil
        return receiver.waiter
      }
      state.inbound.append(message, cost: message.bytes.count + Self.overhead)
      return nil
    }
    waiter?.resume(returning: .success(message))
  }

  /// Whether enough lies here unreceived; `receive` then tells when to go on.
  func shouldPauseReading() -> Bool {
    state.withLock { state in
      if state.inbound.bytes >= Self.inboundLimit { state.isReadingPaused = true }
      return state.isReadingPaused
    }
  }

  /// The next messages to send, up to `limit` bytes, at least one if there is any.
  func takeOutbound(limit: Int) -> [(id: Int, message: [UInt8])] {
    state.withLock { state in
      var bytes = 0
      var count = 0
      while count < state.outbound.count, count == 0 || bytes < limit {
        bytes += state.outbound[count].message.count
        count += 1
      }
      defer { state.outbound.removeFirst(count) }
      return Array(state.outbound.prefix(count))
    }
  }

  /// These messages have been handed to the kernel.
  func sent(_ ids: [Int]) {
    let waiters = state.withLock { state in ids.compactMap { state.removeSender($0) } }
    for waiter in waiters { waiter.resume(returning: .success(())) }
  }

  /// The payloads of pings that have not been sent yet; they count as sent from now on.
  func takePings() -> [UInt64] {
    state.withLock { state in
      let unsent = state.pings.filter { !$0.value.isSent }.map(\.key)
      for payload in unsent { state.pings[payload]?.isSent = true }
      return unsent
    }
  }

  /// A ping has been answered.
  func ponged(_ payload: UInt64) { resumePing(payload, with: .success(())) }

  /// When the first ping must have been answered.
  var nextPingDeadline: ContinuousClock.Instant? {
    state.withLock { $0.pings.isEmpty ? nil : $0.pings.values.map(\.deadline).min() }
  }

  /// Fails the pings that were not answered by `now`.
  func failPings(before now: ContinuousClock.Instant) {
    let late = state.withLock { state in
      let late = state.pings.filter { $0.value.deadline <= now }
      for payload in late.keys { state.pings[payload] = nil }
      return late.values.map(\.waiter)
    }
    let error = NetworkError(.timeout, "\(label): a ping was not answered in time")
    for waiter in late { waiter.resume(returning: .failure(error)) }
  }

  /// The messages that go before the close frame, once.
  func takeLastWords() -> [[UInt8]] {
    state.withLock { state in
      defer { state.lastWords = [] }
      return state.lastWords
    }
  }

  /// Whether a user has closed the connection.
  var isClosing: Bool { state.withLock { $0.isClosing } }

  /// The connection is over: whoever waits is told `error`, and so is whoever comes later; the first error counts.
  func finish(_ error: NetworkError) {
    let ended = state.withLock { state -> State in
      let former = state
      state.end = state.end ?? error
      state.opening = nil
      state.receiver = nil
      state.outbound = []
      state.outboundBytes = 0
      state.senders = [:]
      state.pings = [:]
      return former
    }
    ended.opening?.resume(returning: .failure(error))
    ended.receiver?.waiter.resume(returning: .failure(error))
    for sender in ended.senders.values { sender.waiter.resume(returning: .failure(error)) }
    for ping in ended.pings.values { ping.waiter.resume(returning: .failure(error)) }
  }

  private func resumePing(_ payload: UInt64, with result: Result<Void, NetworkError>) {
    let ping = state.withLock { $0.pings.removeValue(forKey: payload) }
    ping?.waiter.resume(returning: result)
  }
}
