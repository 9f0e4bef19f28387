/// Something that a server should not do, and that does not end the session.
package enum SocketIOOddity: String, Sendable, Hashable, CaseIterable {
  /// A text message of no known type, or an empty one.
  case unknownPacket
  /// A second handshake of Engine.IO.
  case secondHandshake
  /// Something else than the handshake before it.
  case packetBeforeHandshake
  /// An answer to a ping; this side sends none.
  case unaskedPong
  /// A ping whose payload is too large to be sent back.
  case largePing
  /// A packet of Socket.IO that cannot be read.
  case malformedPacket
  /// A second answer to the connect packet.
  case secondConnect
  /// A packet for another namespace.
  case otherNamespace
  /// An acknowledgement of nothing, or a second one.
  case unaskedAcknowledgement
  /// An event with binary attachments; it is dropped with them.
  case binaryEvent
  /// A binary message that no event has announced.
  case strayAttachment
  /// The next event came before all attachments of the former.
  case missingAttachment

  /// What happened, in words.
  package var words: String {
    switch self {
    case .unknownPacket: "a packet of no known type"
    case .secondHandshake: "a second handshake"
    case .packetBeforeHandshake: "a packet before the handshake"
    case .unaskedPong: "an answer to a ping that was not sent"
    case .largePing: "a ping that is too large to be answered"
    case .malformedPacket: "a packet that cannot be read"
    case .secondConnect: "a second answer to the connect packet"
    case .otherNamespace: "a packet for another namespace"
    case .unaskedAcknowledgement: "an acknowledgement of nothing"
    case .binaryEvent: "an event with binary attachments, which are not supported"
    case .strayAttachment: "a binary message that belongs to nothing"
    case .missingAttachment: "an event before all attachments of the former one"
    }
  }
}
