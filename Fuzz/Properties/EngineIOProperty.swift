import Platform
import SocketIO

/// What holds for any bytes as packets of Engine.IO, and for any conversation made of them.
///
/// The bytes are text messages with 0x1E between them; one that begins with 0x00 is a binary message, one that begins
/// with 0x01 lets a second pass for each of its bytes.
package func checkEngineIO(_ bytes: [UInt8]) {
  let messages = bytes.split(separator: 0x1E, omittingEmptySubsequences: false).map { Array($0) }
  for message in messages { checkPacket(message) }
  var now = MonotonicInstant(sinceOrigin: .zero)
  var session = EngineIOSession(at: now, openingTime: .seconds(10), messageLimit: 1_024)
  var hasOpened = false
  for message in messages {
    let hadEnded = session.hasEnded
    let actions: [EngineIOSession.Action]
    switch message.first {
    case 0x00: actions = session.receiveBinary(at: now)
    case 0x01:
      now = now.advanced(by: .seconds(message.count))
      actions = session.timePassed(now: now)
    default: actions = session.receive(text: message, at: now)
    }
    precondition(!hadEnded || actions.isEmpty, "it goes on after its end")
    for (index, action) in actions.enumerated() {
      switch action {
      case .send(let text):
        precondition(hasOpened, "something is sent before the handshake")
        precondition(text.count <= session.sendLimit, "more is sent than the server takes")
        precondition(text.dropFirst() == message.dropFirst(), "a pong is not its ping")
      case .opened:
        precondition(!hasOpened, "opened twice")
        hasOpened = true
      case .message(let payload):
        precondition(hasOpened && payload.count == message.count - 1, "an odd message")
      case .attachment: precondition(hasOpened, "an attachment before the handshake")
      case .notice: break
      case .end: precondition(index == actions.count - 1, "it goes on after its end")
      }
    }
    if case .end = actions.last {
      precondition(session.hasEnded, "an end that is none")
    } else {
      precondition(session.hasEnded == hadEnded, "an end without a word")
    }
    if let deadline = session.deadline {
      precondition(
        deadline > now && deadline <= now.advanced(by: .seconds(600)), "a deadline out of reach")
    }
  }
}

private func checkPacket(_ message: [UInt8]) {
  guard let packet = EngineIOPacket(message) else { return }
  precondition(EngineIOPacket(packet.text) == packet, "what was written is read as something else")
  switch packet {
  case .open, .ping, .pong, .message:
    precondition(packet.text == message, "what was read is written in another way")
  case .close, .upgrade, .noop: precondition(packet.text == Array(message.prefix(1)))
  }
  if case .open(let payload) = packet, let handshake = EngineIOHandshake(payload) {
    let sensible = Duration.milliseconds(100)...Duration.seconds(300)
    precondition(sensible.contains(handshake.pingInterval), "an interval without sense")
    precondition(sensible.contains(handshake.pingTimeout), "a time-out without sense")
    precondition(handshake.maxPayload > 0, "nothing may be sent")
  }
}
