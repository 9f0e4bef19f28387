internal import Platform

/// Takes a `multipart/form-data` body (RFC 7578) apart as it comes in. A pure state machine over hostile bytes; it keeps no
/// more of them than one delimiter or one part's header.
struct MultipartReader: Sendable {
  /// What is in the body, in order.
  enum Event: Sendable, Hashable {
    /// A part begins.
    case part(name: String, filename: String?)
    /// The next bytes of the part.
    case data([UInt8])
    /// The part ends.
    case partEnd
  }
  /// What is wrong with a body.
  struct Failure: Error, Sendable, Hashable { let problem: String }

  private enum State { case preamble, header, data, closed }
  private static let mostHeader = 8 << 10
  private static let mostParts = 8
  /// `CRLF--boundary`
  private let delimiter: [UInt8]
  private var buffer: [UInt8]
  private var state = State.preamble
  private var parts = 0
  /// So many bytes came before the first part.
  private var preamble = 0

  /// A reader of a body with this `Content-Type`.
  ///
  /// - Returns: nil where that is another type, or names no boundary that can be one.
  init?(contentType: String) {
    var fields = HeaderParameters(contentType)
    guard fields.value.lowercased() == "multipart/form-data",
      let boundary = fields.take("boundary"),
      (1...200).contains(boundary.utf8.count), boundary.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
    else { return nil }
    delimiter = Array("\r\n--\(boundary)".utf8)
    // The first delimiter may stand at the very start: as if a line had ended before.
    buffer = [13, 10]
  }

  /// Whether the closing delimiter has been seen.
  var isComplete: Bool { state == .closed }

  /// Takes the next bytes.
  ///
  /// - Throws: ``Failure``; nothing may follow then.
  mutating func read(_ bytes: [UInt8]) throws(Failure) -> [Event] {
    guard state != .closed else { return [] }
    buffer += bytes
    var events: [Event] = []
    // All before it is done with.
    var cursor = 0
    var search = 0
    while true {
      if state == .header {
        guard let end = try headerEnd(from: cursor) else { break }
        events.append(try part(buffer[cursor..<end]))
        cursor = end + 4
        search = cursor
        state = .data
      }
      guard let place = buffer.firstIndex(ofBytes: delimiter, from: search) else {
        // The delimiter may have begun.
        let end = max(cursor, buffer.count - delimiter.count + 1)
        if state == .preamble {
          preamble += end - cursor
          guard preamble <= Self.mostHeader else {
            throw Failure(problem: "the first boundary is missing")
          }
        }
        cursor = pass(cursor, end, &events)
        break
      }
      let after = place + delimiter.count
      guard buffer.count >= after + 2 else {
        cursor = pass(cursor, place, &events)
        break
      }
      // What follows decides: CRLF another part, `--` the end; anything else only looked like one.
      let isEnd = buffer[after] == UInt8(ascii: "-") && buffer[after + 1] == UInt8(ascii: "-")
      guard isEnd || (buffer[after] == 13 && buffer[after + 1] == 10) else {
        search = place + 1
        continue
      }
      cursor = pass(cursor, place, &events)
      if state == .data { events.append(.partEnd) }
      if isEnd {
        state = .closed
        buffer = []
        return events
      }
      parts += 1
      guard parts <= Self.mostParts else { throw Failure(problem: "too many parts") }
      state = .header
      cursor = after + 2
    }
    buffer.removeFirst(cursor)
    return events
  }

  /// Hands on what stands between `start` and `end` where it is a part's data.
  ///
  /// - Returns: `end`.
  private mutating func pass(_ start: Int, _ end: Int, _ events: inout [Event]) -> Int {
    if state == .data, end > start { events.append(.data(Array(buffer[start..<end]))) }
    return end
  }

  private func headerEnd(from start: Int) throws(Failure) -> Int? {
    let end = buffer.firstIndex(ofBytes: [13, 10, 13, 10], from: start)
    guard (end ?? buffer.count) - start <= Self.mostHeader else {
      throw Failure(problem: "a part's header is too long")
    }
    return end
  }

  private func part(_ header: ArraySlice<UInt8>) throws(Failure) -> Event {
    for line in header.split(separator: 10) {
      let text = String(decoding: line.filter { $0 != 13 }, as: UTF8.self)
      guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
        text[..<colon].lowercased() == "content-disposition"
      else { continue }
      var fields = HeaderParameters(String(text[text.utf8.index(after: colon)...]))
      guard fields.value.lowercased() == "form-data", let name = fields.take("name") else {
        continue
      }
      return .part(name: name, filename: fields.take("filename"))
    }
    throw Failure(problem: "a part has no name")
  }
}
