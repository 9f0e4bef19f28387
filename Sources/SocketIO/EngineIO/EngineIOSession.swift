package import Platform

/// The client's half of one Engine.IO 4 session over a WebSocket: frames in, actions out. A value without I/O.
///
/// The server speaks first (open), pings, and is gone when it has been silent for too long.
package struct EngineIOSession: Sendable {
  /// What the session wants done, in this order.
  package enum Action: Sendable, Hashable {
    /// Send this text message.
    case send([UInt8])
    /// The server has opened the session.
    case opened
    /// A packet of Socket.IO came.
    case message([UInt8])
    /// A binary attachment came; its bytes are of no use here.
    case attachment
    /// The server did something that it should not, and which was passed over.
    case notice(SocketIOOddity)
    /// The session is over.
    case end(SocketIOClosure)
  }

  /// What the server said when it opened the session; nil before.
  package private(set) var handshake: EngineIOHandshake?
  /// When the session is given up unless something comes before; nil once it is over.
  package private(set) var deadline: MonotonicInstant?

  private let messageLimit: Int

  /// A session over a WebSocket that is open since now.
  ///
  /// - Parameters:
  ///   - now: the present moment.
  ///   - openingTime: how long the server may take until it opens the session.
  ///   - messageLimit: the largest message that is taken, in bytes.
  package init(at now: MonotonicInstant, openingTime: Duration, messageLimit: Int) {
    deadline = now.advanced(by: openingTime)
    self.messageLimit = messageLimit
  }

  /// Whether the session is over.
  package var hasEnded: Bool { deadline == nil }

  /// The largest message that may be sent, in bytes.
  package var sendLimit: Int { handshake?.maxPayload ?? EngineIOHandshake().maxPayload }

  /// Takes a text message.
  package mutating func receive(text: [UInt8], at now: MonotonicInstant) -> [Action] {
    guard !hasEnded else { return [] }
    guard text.count <= messageLimit else {
      return end(
        SocketIOClosure(.protocolViolation, "the server sent a message of \(text.count) bytes"))
    }
    noteLife(at: now)
    guard let packet = EngineIOPacket(text) else { return [.notice(.unknownPacket)] }
    if handshake == nil { return receiveFirst(packet, at: now) }
    switch packet {
    case .open: return [.notice(.secondHandshake)]
    case .close: return end(SocketIOClosure(.endedByServer, "the server has closed the session"))
    case .ping(let payload):
      guard payload.count < sendLimit else { return [.notice(.largePing)] }
      return [.send(EngineIOPacket.pong(payload).text)]
    case .pong: return [.notice(.unaskedPong)]
    case .message(let payload): return [.message(payload)]
    case .upgrade, .noop: return []
    }
  }

  /// Takes a binary message.
  package mutating func receiveBinary(at now: MonotonicInstant) -> [Action] {
    guard !hasEnded else { return [] }
    noteLife(at: now)
    return handshake == nil ? [.notice(.packetBeforeHandshake)] : [.attachment]
  }

  /// Looks at the clock.
  package mutating func timePassed(now: MonotonicInstant) -> [Action] {
    guard let deadline, deadline <= now else { return [] }
    guard handshake != nil else {
      return end(SocketIOClosure(.handshakeTimeout, "the server did not open the session in time"))
    }
    return end(SocketIOClosure(.silent, "nothing has come from the server for too long"))
  }

  /// Ends the session from this side, or because its connection has gone.
  package mutating func stop() { deadline = nil }

  private mutating func receiveFirst(_ packet: EngineIOPacket, at now: MonotonicInstant) -> [Action]
  {
    switch packet {
    case .open(let payload):
      guard let handshake = EngineIOHandshake(payload) else {
        return end(
          SocketIOClosure(.protocolViolation, "the server's first packet is no handshake"))
      }
      self.handshake = handshake
      noteLife(at: now)
      return [.opened]
    case .close: return end(SocketIOClosure(.endedByServer, "the server has closed the session"))
    case .ping, .pong, .message, .upgrade, .noop: return [.notice(.packetBeforeHandshake)]
    }
  }

  /// Whatever comes shows that the server lives; before the handshake it only shows that somebody does.
  private mutating func noteLife(at now: MonotonicInstant) {
    guard let handshake else { return }
    deadline = now.advanced(by: handshake.pingInterval + handshake.pingTimeout)
  }

  private mutating func end(_ closure: SocketIOClosure) -> [Action] {
    deadline = nil
    return [.end(closure)]
  }
}
