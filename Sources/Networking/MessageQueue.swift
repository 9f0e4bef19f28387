/// Messages in order, with what they cost in memory.
struct MessageQueue {
  private var messages: [(bytes: [UInt8], cost: Int)] = []
  private var first = 0
  /// The cost of all.
  private(set) var bytes = 0

  mutating func append(_ message: [UInt8], cost: Int) {
    messages.append((message, cost))
    bytes += cost
  }

  mutating func next() -> [UInt8]? {
    guard first < messages.count else { return nil }
    let message = messages[first]
    messages[first].bytes = []
    bytes -= message.cost
    first += 1
    // Now and then what was taken is dropped, so that each message is moved once on average.
    if first == messages.count || first > 64 && first > messages.count / 2 {
      messages.removeFirst(first)
      first = 0
    }
    return message.bytes
  }
}
