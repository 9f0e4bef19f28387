/// A packet of Engine.IO 4 as it lies in one text message of a WebSocket: a digit for the type, then its payload.
package enum EngineIOPacket: Sendable, Hashable {
  /// The handshake, a JSON object.
  case open([UInt8])
  /// The end of the session.
  case close
  /// Asks whether the other side lives; the payload comes back.
  case ping([UInt8])
  /// The answer to a ping, with its payload.
  case pong([UInt8])
  /// Carries one packet of Socket.IO.
  case message([UInt8])
  /// Belongs to the change from polling to a WebSocket, which does not happen here.
  case upgrade
  /// Nothing.
  case noop

  /// Reads a text message; nil where it is empty or of no known type.
  package init?(_ text: [UInt8]) {
    guard let type = text.first else { return nil }
    let payload = Array(text.dropFirst())
    switch type {
    case UInt8(ascii: "0"): self = .open(payload)
    case UInt8(ascii: "1"): self = .close
    case UInt8(ascii: "2"): self = .ping(payload)
    case UInt8(ascii: "3"): self = .pong(payload)
    case UInt8(ascii: "4"): self = .message(payload)
    case UInt8(ascii: "5"): self = .upgrade
    case UInt8(ascii: "6"): self = .noop
    default: return nil
    }
  }

  /// The text message that carries it.
  package var text: [UInt8] {
    switch self {
    case .open(let payload): [UInt8(ascii: "0")] + payload
    case .close: [UInt8(ascii: "1")]
    case .ping(let payload): [UInt8(ascii: "2")] + payload
    case .pong(let payload): [UInt8(ascii: "3")] + payload
    case .message(let payload): [UInt8(ascii: "4")] + payload
    case .upgrade: [UInt8(ascii: "5")]
    case .noop: [UInt8(ascii: "6")]
    }
  }
}
