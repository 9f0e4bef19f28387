/// Messages in order, with what they cost in memory.
struct MessageQueue {
  private var messages: [(message: ReceivedMessage, cost: Int)] = []
  private var first = 0
  /// The cost of all.
  private(set) var bytes = 0

  mutating func append(_ message: ReceivedMessage, cost: Int) {
    messages.append((message, cost))
    bytes += cost
  }

  mutating func next() -> ReceivedMessage? {
    guard first < messages.count else { return nil }
    let (message, cost) = messages[first]
    messages[first].message.bytes = []
    bytes -= cost
    first += 1
    // Now and then what was taken is dropped, so that each message is moved once on average.
    if first == messages.count || first > 64 && first > messages.count / 2 {
      messages.removeFirst(first)
      first = 0
    }
    return message
  }
}
