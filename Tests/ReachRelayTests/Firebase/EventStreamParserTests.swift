import Testing

@testable import ReachRelay

@Suite("Reach: a stream of events") struct EventStreamParserTests {
  private func events(_ text: String, pieces: Int = .max) throws -> [EventStreamParser.Event] {
    var parser = EventStreamParser()
    var rest = Array(text.utf8)[...]
    var events: [EventStreamParser.Event] = []
    while !rest.isEmpty {
      events += try parser.take(rest.prefix(pieces))
      rest = rest.dropFirst(pieces)
    }
    return events
  }

  private func event(_ name: String, _ data: String) -> EventStreamParser.Event {
    EventStreamParser.Event(name: name, data: Array(data.utf8))
  }

  @Test(
    "Lines end in each of the three ways, wherever the pieces are cut",
    arguments: ["\n", "\r\n", "\r"], [1, 2, 3, 7, Int.max])
  func lines(end: String, pieces: Int) throws {
    let text =
      [
        "event: put", #"data: {"path":"/","data":1}"#, "", ": a comment", "id: 7", "retry: 1", "",
        "event:keep-alive", "data: null", "", "data: a", "data:  b", "data", "", "event: x", "", "",
        "event: unfinished",
      ].joined(separator: end) + end
    #expect(
      try events(text, pieces: pieces) == [
        event("put", #"{"path":"/","data":1}"#), event("keep-alive", "null"),
        event("", "a\n b\n"), event("x", ""),
      ])
  }

  @Test("A line may have 4096 bytes, and no more, however it comes")
  func lineLimit() throws {
    let fits = "data:" + String(repeating: "x", count: EventStreamParser.lineLimit - 5)
    #expect(try events(fits + "\n\n").map(\.data.count) == [EventStreamParser.lineLimit - 5])
    #expect(throws: EventStreamParser.Defect.lineTooLong) { try events(fits + "x\n\n") }
    #expect(throws: EventStreamParser.Defect.lineTooLong) { try events(fits + "x", pieces: 100) }
  }

  @Test("An event may have 16 KiB of data, and no more")
  func eventLimit() throws {
    let line = "data:" + String(repeating: "x", count: 1_023) + "\n"
    let fits = String(repeating: line, count: 16)
    #expect(try events(fits + "\n").map(\.data.count) == [16 * 1_024 - 1])
    #expect(throws: EventStreamParser.Defect.eventTooLarge) { try events(fits + "data:x\n") }
    #expect(throws: EventStreamParser.Defect.eventTooLarge) {
      try events(String(repeating: "data:\n", count: 20_000))
    }
  }

  @Test("Bytes that are no text do no harm")
  func noise() throws {
    var parser = EventStreamParser()
    #expect(try parser.take([0xFF, 0x00, 0xFE, 0x0A, 0x0A]) == [])
    #expect(try parser.take(Array("event: \u{0}\n\n".utf8)).map(\.name) == ["\u{0}"])
  }

  @Test(
    "What an event says of the stamp",
    arguments: [
      ("put", #"{"path":"/","data":1795162973000}"#, .stamp(1_795_162_973_000)),
      ("put", #"{"path":"/","data":1795162973000.7}"#, .stamp(1_795_162_973_000)),
      ("put", #"{"path":"/","data":1.7951e12}"#, .stamp(1_795_100_000_000)),
      ("put", #"{"path":"/","data":null}"#, .stamp(nil)), ("put", #"{"path":"/"}"#, .stamp(nil)),
      ("put", #"{"path":"/","data":"1795162973000"}"#, .stamp(nil)),
      ("put", #"{"path":"/","data":1e400}"#, .stamp(nil)),
      ("put", #"{"path":"/","data":99999999999999999999}"#, .stamp(nil)),
      ("put", #"{"path":"/","data":{"a":1}}"#, .stamp(nil)),
      ("put", #"{"path":"/a","data":5}"#, .stamp(nil)),
      ("patch", #"{"path":"/","data":{"a":5}}"#, .stamp(nil)),
      ("put", #"{"path":5,"data":5}"#, .unreadable), ("put", "[]", .unreadable),
      ("put", "{", .unreadable), ("put", "", .unreadable), ("keep-alive", "null", .alive),
      ("cancel", "null", .cancelled), ("auth_revoked", "credential is no longer valid", .revoked),
      ("something", "new", .alive), ("", "5", .alive),
    ] as [(String, String, DatabaseEvent)])
  func meaning(name: String, data: String, meaning: DatabaseEvent) {
    #expect(DatabaseEvent(event(name, data)) == meaning)
  }

  @Test("Nesting without end is no event, and no trap")
  func nesting() {
    let deep = #"{"path":"/","data":"# + String(repeating: "[", count: 5_000)
    #expect(DatabaseEvent(event("put", deep)) == .unreadable)
  }
}
