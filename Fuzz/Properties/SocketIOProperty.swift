import Platform
import SocketIO

/// What holds for any bytes as packets of Socket.IO, and for any conversation made of them.
///
/// The bytes are text messages with 0x1E between them; one that begins with 0x00 is a binary message, one that begins
/// with 0x01 lets a second pass for each of its bytes, one that begins with 0x02 emits an event whose acknowledgement is
/// waited for.
package func checkSocketIO(_ bytes: [UInt8]) {
  let messages = bytes.split(separator: 0x1E, omittingEmptySubsequences: false).map { Array($0) }
  for message in messages {
    checkPacket(message.first == UInt8(ascii: "4") ? Array(message[1...]) : message)
  }
  var options = SocketIOOptions()
  options.messageLimit = 4_096
  var now = MonotonicInstant(sinceOrigin: .zero)
  var session = SocketIOSession(at: now, options: options)
  var connects = 0
  var awaited: Set<UInt64> = []
  for message in messages {
    let hadEnded = session.hasEnded
    var actions: [SocketIOSession.Action] = []
    switch message.first {
    case 0x00: actions = session.receiveBinary(at: now)
    case 0x01:
      now = now.advanced(by: .seconds(message.count))
      actions = session.timePassed(now: now)
    case 0x02:
      let emitted = try? session.emit("e", [], isAcknowledged: true)
      precondition(session.isConnected || emitted == nil, "an event without a connection")
      if let emitted, let id = emitted.id {
        precondition(emitted.text.count <= session.sendLimit, "more is sent than the server takes")
        precondition(awaited.insert(id).inserted, "an id is used twice")
      }
    default: actions = session.receive(text: message, at: now)
    }
    precondition(!hadEnded || actions.isEmpty, "it goes on after its end")
    for (index, action) in actions.enumerated() {
      switch action {
      case .send(let text):
        // Of its own it sends nothing but pongs and the connect packet.
        precondition(text.first == UInt8(ascii: "3") || text == Array("40{}".utf8))
      case .connected:
        connects += 1
        precondition(connects == 1, "connected twice")
      case .event(let event):
        precondition(event.arguments.count < message.count, "arguments out of nothing")
      case .acknowledged(let id, _):
        precondition(awaited.remove(id) != nil, "an acknowledgement that nobody waits for")
      case .notice: break
      case .end: precondition(index == actions.count - 1, "it goes on after its end")
      }
    }
    if case .end = actions.last {
      precondition(session.hasEnded, "an end that is none")
    } else {
      precondition(session.hasEnded == hadEnded, "an end without a word")
    }
    precondition(!session.isConnected || !session.hasEnded, "connected after its end")
    if let deadline = session.deadline { precondition(deadline > now, "a deadline that is over") }
  }
  let wasConnected = session.isConnected
  let lastWords = session.leave()
  precondition(session.hasEnded && session.leave().isEmpty, "two farewells")
  precondition((lastWords.first == Array("41".utf8)) == wasConnected, "an odd farewell")
}

private func checkPacket(_ bytes: [UInt8]) {
  guard let packet = SocketIOPacket(parsing: bytes) else { return }
  let written = packet.bytes
  guard let again = SocketIOPacket(parsing: written) else {
    fatalError("what was written cannot be read")
  }
  precondition(again == packet, "what was written is read as something else")
  precondition(again.bytes == written, "what was read is written in another way")
  precondition(
    packet.attachments <= SocketIOPacket.attachmentLimit, "more attachments than allowed")
}
