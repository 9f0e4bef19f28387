internal import Synchronization

/// A connection of messages on the network thread: opens the stream, moves bytes between it and the framing.
@safe final class ConnectionActivity: Activity, @unchecked Sendable {
  // @unchecked: after it was handed over, only the network thread touches it (but for `isAbandoned`).

  /// How long the other side may take to answer a close frame.
  private static let farewell: Duration = .seconds(1)
  /// How much is read before others get their turn.
  private static let turn = 16

  private enum Phase { case connecting, opening, open, closing, ended }

  private let stream: any ByteStream
  private let framing: any Framing
  private let channel: ConnectionChannel
  private let label: String
  private let isAbandoned = Atomic(false)

  private var phase = Phase.connecting
  private var phaseEnds: ContinuousClock.Instant?
  private var staged = StagedOutput()
  private var inFlight: [Int] = []
  /// The last write found no room.
  private var isWriteBlocked = false
  /// The other side has said its last word.
  private var peerHasEnded = false
  /// Bytes may be left where poll() does not see them: in OpenSSL.
  private var mustReadOn = false

  init(
    stream: any ByteStream, framing: any Framing, channel: ConnectionChannel, label: String,
    timeout: Duration
  ) {
    self.stream = stream
    self.framing = framing
    self.channel = channel
    self.label = label
    phaseEnds = .now.advanced(by: timeout)
  }

  /// Keeps a connection that has not begun from beginning; from any thread.
  func abandon() { isAbandoned.store(true, ordering: .releasing) }

  func begin(on loop: NetworkLoop) {
    if isAbandoned.load(ordering: .acquiring) { return drop(.cancelled, on: loop) }
    do throws(NetworkError) {
      if try stream.connect(for: self, on: loop) { connected(on: loop) }
    } catch {
      drop(error, on: loop)
    }
  }

  func transferEnded(_ result: CurlResult, on loop: NetworkLoop) {
    // libcurl reports the end of connecting once; the connection then is ours.
    guard phase == .connecting else { return }
    do throws(NetworkError) {
      try stream.connected(result)
      connected(on: loop)
    } catch {
      drop(error, on: loop)
    }
  }

  private func connected(on loop: NetworkLoop) {
    phase = .opening
    // A framing with nothing to agree on first is open at once.
    if framing.hasOutput { write(on: loop) } else { opened() }
  }

  private func opened() {
    phase = .open
    phaseEnds = nil
    channel.opened()
  }

  func end(with error: NetworkError, on loop: NetworkLoop?) {
    if let loop, phase == .open {
      // There is no time for an answer, but the close frame leaves if it can.
      _ = framing.queueClose()
      channel.finish(error)
      write(on: loop)
    }
    drop(error, on: loop)
  }

  func look(on loop: NetworkLoop) {
    if phase == .open, channel.isClosing {
      for message in channel.takeLastWords() { framing.queueMessage(message) }
      let isAnswered = framing.queueClose()
      close(on: loop)
      peerHasEnded = !isAnswered
    }
    write(on: loop)
  }

  // MARK: Readiness

  var watched: WatchedSocket? {
    guard phase != .ended, let descriptor = stream.descriptor else { return nil }
    return WatchedSocket(
      descriptor: descriptor, forReading: wantsToRead, forWriting: isWriteBlocked)
  }

  /// Reading stops while a user is slow, and while the other side takes no answers to its pings.
  private var wantsToRead: Bool {
    if peerHasEnded || phase == .connecting || phase == .ended { return false }
    if phase == .open, channel.shouldPauseReading() { return false }
    return !framing.isCongested
  }

  func socketReady(on loop: NetworkLoop) {
    isWriteBlocked = false
    read(on: loop)
    write(on: loop)
  }

  var deadline: ContinuousClock.Instant? {
    if mustReadOn, wantsToRead { return .now }
    guard phase == .open else { return phaseEnds }
    return channel.nextPingDeadline
  }

  func deadlinePassed(now: ContinuousClock.Instant, on loop: NetworkLoop) {
    if let phaseEnds, phaseEnds <= now {
      return drop(NetworkError(.timeout, "\(label): no connection in time"), on: loop)
    }
    channel.failPings(before: now)
    if mustReadOn {
      read(on: loop)
      write(on: loop)
    }
  }

  // MARK: Bytes

  private func read(on loop: NetworkLoop) {
    mustReadOn = false
    for _ in 0..<Self.turn {
      guard wantsToRead else { break }
      switch stream.read() {
      case .again: return
      case .bytes(let bytes, let isAll):
        obey(framing.receive(bytes), on: loop)
        if isAll { return }
      case .end: return drop(framing.endOfStream, on: loop)
      case .failed(let reason):
        return drop(NetworkError(.closed, "\(label): the connection broke: \(reason)"), on: loop)
      }
    }
    mustReadOn = !peerHasEnded
  }

  private func obey(_ events: [FramingEvent], on loop: NetworkLoop) {
    for event in events {
      switch event {
      case .opened: opened()
      case .message(let message): channel.received(message)
      case .pong(let payload):
        if payload.count == 8 { channel.ponged(payload.reduce(0) { $0 << 8 | UInt64($1) }) }
      case .ended(let error):
        peerHasEnded = true
        channel.finish(error)
        close(on: loop)
      }
    }
  }

  private func write(on loop: NetworkLoop) {
    guard phase == .opening || phase == .open || phase == .closing else { return }
    while !isWriteBlocked {
      if staged.isEmpty {
        if phase == .open { queueMore() }
        framing.produce(into: &staged)
      }
      if staged.isEmpty {
        channel.sent(inFlight)
        inFlight = []
        if phase == .closing, peerHasEnded { drop(framing.endOfStream, on: loop) }
        return
      }
      switch unsafe staged.offer(to: { unsafe stream.write($0) }) {
      case .wrote: break
      case .again: isWriteBlocked = true
      case .failed(let reason):
        return drop(NetworkError(.closed, "\(label): the connection broke: \(reason)"), on: loop)
      }
    }
  }

  private func queueMore() {
    for payload in channel.takePings() {
      framing.queuePing((0..<8).map { UInt8(truncatingIfNeeded: payload >> (56 - 8 * $0)) })
    }
    guard !framing.hasOutput else { return }
    for (id, message) in channel.takeOutbound(limit: 65_536) {
      framing.queueMessage(message)
      inFlight.append(id)
    }
  }

  /// Lets what is queued leave, then drops the connection; at the latest when the farewell is over.
  private func close(on loop: NetworkLoop) {
    phase = .closing
    phaseEnds = .now.advanced(by: Self.farewell)
  }

  /// Closes the connection at once.
  private func drop(_ error: NetworkError, on loop: NetworkLoop?) {
    guard phase != .ended else { return }
    phase = .ended
    channel.finish(error)
    stream.close(on: loop)
    loop?.forget(self)
  }
}
