/// Reads server-sent events (the `text/event-stream` of the HTML standard) piece by piece, within limits. Pure.
struct EventStreamParser: Sendable {
  /// An event.
  struct Event: Sendable, Hashable {
    /// Its name; empty where it has none.
    var name: String
    /// Its data, lines joined by line feeds.
    var data: [UInt8]
  }

  /// What a stream does that no stream of ours should.
  enum Defect: Error, Sendable, Hashable {
    case lineTooLong
    case eventTooLarge
  }

  /// The longest line, in bytes.
  static let lineLimit = 4_096
  /// The most data of an event, in bytes.
  static let eventLimit = 16_384

  private var line: [UInt8] = []
  private var name = ""
  private var data: [UInt8] = []
  private var hasData = false
  /// A line feed that comes next belongs to the line that has ended already.
  private var skipsLineFeed = false

  /// A parser at the beginning of a stream.
  init() {}

  /// Takes the next piece.
  ///
  /// - Returns: the events that are complete now.
  /// - Throws: `Defect`; the stream is of no use from then on.
  mutating func take(_ piece: some Sequence<UInt8>) throws(Defect) -> [Event] {
    var events: [Event] = []
    for byte in piece {
      let follows = skipsLineFeed
      skipsLineFeed = byte == UInt8(ascii: "\r")
      if byte == UInt8(ascii: "\n"), follows { continue }
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
        if let event = try endLine() { events.append(event) }
      } else {
        guard line.count < Self.lineLimit else { throw .lineTooLong }
        line.append(byte)
      }
    }
    return events
  }

  /// A line is complete; an empty one ends an event.
  private mutating func endLine() throws(Defect) -> Event? {
    defer { line.removeAll(keepingCapacity: true) }
    guard !line.isEmpty else {
      defer {
        name = ""
        data = []
        hasData = false
      }
      return name.isEmpty && !hasData ? nil : Event(name: name, data: data)
    }
    let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
    var value = line[colon...].dropFirst()
    if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    if line[..<colon].elementsEqual("event".utf8) {
      name = String(decoding: value, as: UTF8.self)
    } else if line[..<colon].elementsEqual("data".utf8) {
      if hasData { data.append(UInt8(ascii: "\n")) }
      hasData = true
      guard data.count + value.count <= Self.eventLimit else { throw .eventTooLarge }
      data += value
    }
    // Comments, ids and all the rest mean nothing here.
    return nil
  }
}
