package import JSON
package import Platform

/// The client's half of one Socket.IO 5 connection in one namespace: frames in, actions out. A value without I/O.
///
/// It holds the Engine.IO session below it, so that one value answers to everything that comes over the WebSocket.
package struct SocketIOSession: Sendable {
  /// What the session wants done, in this order.
  package enum Action: Sendable, Hashable {
    /// Send this text message.
    case send([UInt8])
    /// The server has let us into the namespace: from now on events may be emitted.
    case connected
    /// An event came.
    case event(SocketIOEvent)
    /// An emitted event was acknowledged.
    case acknowledged(id: UInt64, arguments: [JSONValue])
    /// The server did something that it should not, and which was passed over.
    case notice(SocketIOOddity)
    /// The connection is over.
    case end(SocketIOClosure)
  }

  /// Whether the server has let us into the namespace, so that events may be emitted.
  package private(set) var isConnected = false

  private var engine: EngineIOSession
  private let namespace: String
  private let authentication: JSONObject
  private let connectDeadline: MonotonicInstant
  private var missingAttachments = 0
  private var awaitedAcknowledgements: Set<UInt64> = []
  private var nextID: UInt64 = 0

  /// A connection over a WebSocket that is open since now.
  ///
  /// - Parameters:
  ///   - now: the present moment.
  ///   - options: namespace, authentication and limits.
  package init(at now: MonotonicInstant, options: SocketIOOptions = SocketIOOptions()) {
    engine = EngineIOSession(
      at: now, openingTime: options.handshakeTimeout, messageLimit: options.messageLimit)
    namespace = options.namespace
    authentication = options.authentication
    connectDeadline = now.advanced(by: options.handshakeTimeout)
  }

  /// When ``timePassed(now:)`` has something to say unless something comes before; nil once the connection is over.
  package var deadline: MonotonicInstant? {
    guard let deadline = engine.deadline else { return nil }
    return isConnected ? deadline : min(deadline, connectDeadline)
  }

  /// Whether the connection is over.
  package var hasEnded: Bool { engine.hasEnded }

  /// The largest message that may be sent, in bytes.
  package var sendLimit: Int { engine.sendLimit }

  /// How long the server may be silent, as it said itself; nil before the handshake.
  package var silenceLimit: Duration? {
    engine.handshake.map { $0.pingInterval + $0.pingTimeout }
  }

  // MARK: What comes

  /// Takes a text message.
  package mutating func receive(text: [UInt8], at now: MonotonicInstant) -> [Action] {
    obey(engine.receive(text: text, at: now))
  }

  /// Takes a binary message.
  package mutating func receiveBinary(at now: MonotonicInstant) -> [Action] {
    obey(engine.receiveBinary(at: now))
  }

  /// Looks at the clock.
  package mutating func timePassed(now: MonotonicInstant) -> [Action] {
    if !hasEnded, !isConnected, connectDeadline <= now {
      return end(
        SocketIOClosure(.handshakeTimeout, "the server did not finish the handshake in time"))
    }
    return obey(engine.timePassed(now: now))
  }

  /// The connection below has gone.
  package mutating func connectionLost() { engine.stop() }

  // MARK: What goes

  /// An event to be sent.
  ///
  /// - Parameter isAcknowledged: whether the server shall acknowledge it; it then has an id.
  /// - Returns: the text message, and the id.
  /// - Throws: `SocketIOFailure`: `.tooLarge`, or `.closed` while there is no connection.
  package mutating func emit(
    _ name: String, _ arguments: [JSONValue], isAcknowledged: Bool = false
  ) throws(SocketIOFailure) -> (text: [UInt8], id: UInt64?) {
    guard isConnected, !hasEnded else {
      throw .closed(SocketIOClosure(.closedHere, "there is no connection"))
    }
    let id = isAcknowledged ? nextID : nil
    let text = try frame(
      SocketIOPacket(
        .event, namespace: namespace, id: id, data: .array([.string(name)] + arguments)))
    if let id {
      awaitedAcknowledgements.insert(id)
      nextID &+= 1
    }
    return (text, id)
  }

  /// The acknowledgement of an event that carried `id`.
  ///
  /// - Throws: as ``emit(_:_:isAcknowledged:)``.
  package func acknowledge(
    _ id: UInt64, with arguments: [JSONValue]
  ) throws(SocketIOFailure) -> [UInt8] {
    guard isConnected, !hasEnded else {
      throw .closed(SocketIOClosure(.closedHere, "there is no connection"))
    }
    return try frame(
      SocketIOPacket(.acknowledgement, namespace: namespace, id: id, data: .array(arguments)))
  }

  /// Nobody waits for that acknowledgement any more.
  package mutating func abandonAcknowledgement(_ id: UInt64) { awaitedAcknowledgements.remove(id) }

  /// Ends the connection from this side.
  ///
  /// - Returns: the last messages.
  package mutating func leave() -> [[UInt8]] {
    guard !hasEnded else { return [] }
    var lastWords: [[UInt8]] = []
    if isConnected {
      lastWords.append(
        EngineIOPacket.message(SocketIOPacket(.disconnect, namespace: namespace).bytes).text)
    }
    if engine.handshake != nil { lastWords.append(EngineIOPacket.close.text) }
    isConnected = false
    engine.stop()
    return lastWords
  }

  // MARK: Inside

  private func frame(_ packet: SocketIOPacket) throws(SocketIOFailure) -> [UInt8] {
    let text = EngineIOPacket.message(packet.bytes).text
    guard text.count <= sendLimit else { throw .tooLarge(bytes: text.count, limit: sendLimit) }
    return text
  }

  private mutating func obey(_ actions: [EngineIOSession.Action]) -> [Action] {
    var results: [Action] = []
    for action in actions {
      switch action {
      case .send(let text): results.append(.send(text))
      case .opened:
        let connect = SocketIOPacket(.connect, namespace: namespace, data: .object(authentication))
        results.append(.send(EngineIOPacket.message(connect.bytes).text))
      case .message(let bytes): results += receive(packet: bytes)
      case .attachment: results += receiveAttachment()
      case .notice(let oddity): results.append(.notice(oddity))
      case .end(let closure): results += end(closure)
      }
    }
    return results
  }

  private mutating func receive(packet bytes: [UInt8]) -> [Action] {
    guard let packet = SocketIOPacket(parsing: bytes) else { return [.notice(.malformedPacket)] }
    var results: [Action] = []
    if missingAttachments > 0 {
      missingAttachments = 0
      results.append(.notice(.missingAttachment))
    }
    // Their attachments follow in whatever namespace they are.
    if packet.kind.isBinary { missingAttachments = packet.attachments }
    guard packet.namespace == namespace else { return results + [.notice(.otherNamespace)] }
    switch packet.kind {
    case .connect: results += connected(packet.data)
    case .disconnect:
      results += end(SocketIOClosure(.endedByServer, "the server has ended the connection"))
    case .connectError:
      results += end(
        SocketIOClosure(
          .connectError, "the server refused the connection: \(Self.words(packet.data))"))
    case .event:
      let parts = packet.data?.array ?? []
      results.append(
        .event(
          SocketIOEvent(
            parts.first?.string ?? "", Array(parts.dropFirst()), acknowledgementID: packet.id)))
    case .acknowledgement:
      guard let id = packet.id, awaitedAcknowledgements.remove(id) != nil else {
        return results + [.notice(.unaskedAcknowledgement)]
      }
      results.append(.acknowledged(id: id, arguments: packet.data?.array ?? []))
    case .binaryEvent, .binaryAcknowledgement: results.append(.notice(.binaryEvent))
    }
    return results
  }

  private mutating func connected(_ data: JSONValue?) -> [Action] {
    guard !isConnected else { return [.notice(.secondConnect)] }
    // Servers before Socket.IO 3 let everybody in at once and name no session.
    guard let sid = data?["sid"], !sid.isNull else {
      return end(
        SocketIOClosure(
          .protocolViolation, "the server speaks an older Socket.IO than this program"))
    }
    isConnected = true
    return [.connected]
  }

  private mutating func receiveAttachment() -> [Action] {
    guard missingAttachments > 0 else { return [.notice(.strayAttachment)] }
    missingAttachments -= 1
    return []
  }

  private mutating func end(_ closure: SocketIOClosure) -> [Action] {
    isConnected = false
    engine.stop()
    return [.end(closure)]
  }

  /// What a server says of an error, on one line of at most 120 characters.
  private static func words(_ data: JSONValue?) -> String {
    guard let text = data?["message"]?.string ?? data?.string, !text.isEmpty else {
      return "no reason given"
    }
    return String(
      text.unicodeScalars.prefix(120).map {
        $0.properties.generalCategory == .control ? " " : Character($0)
      })
  }
}
