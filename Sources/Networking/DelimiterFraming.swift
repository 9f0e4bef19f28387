/// Messages that end with one byte, as on Klippy's and Moonraker's Unix sockets.
final class DelimiterFraming: Framing {
  private let delimiter: UInt8
  private let messageLimit: Int
  private let label: String
  private var partial: [UInt8] = []
  private var output: [UInt8] = []
  private var sent = 0
  private var hasEnded = false

  init(delimiter: UInt8, messageLimit: Int, label: String) {
    self.delimiter = delimiter
    self.messageLimit = messageLimit
    self.label = label
  }

  func receive(_ bytes: [UInt8]) -> [FramingEvent] {
    var events: [FramingEvent] = []
    var rest = bytes[...]
    while !hasEnded {
      let end = rest.firstIndex(of: delimiter)
      let part = rest[..<(end ?? rest.endIndex)]
      guard part.count <= messageLimit - partial.count else {
        hasEnded = true
        let error = NetworkError(
          .tooLarge, "\(label): a message is larger than \(messageLimit) bytes")
        return events + [.ended(error)]
      }
      partial += part
      guard let end else { break }
      events.append(.message(ReceivedMessage(partial)))
      partial = []
      rest = rest[(end + 1)...]
    }
    return events
  }

  var endOfStream: NetworkError {
    NetworkError(
      .closed,
      partial.isEmpty
        ? "\(label): closed by the other side"
        : "\(label): closed by the other side in the middle of a message")
  }

  func queueMessage(_ message: [UInt8]) { output += message + [delimiter] }

  func queuePing(_ payload: [UInt8]) {}

  func queueClose() -> Bool { false }

  var hasOutput: Bool { sent < output.count }

  var isCongested: Bool { false }

  func produce(into staged: inout StagedOutput) {
    sent += unsafe output.withUnsafeBytes {
      unsafe staged.append(UnsafeRawBufferPointer(rebasing: $0[sent...]))
    }
    if sent == output.count {
      output = []
      sent = 0
    }
  }
}
