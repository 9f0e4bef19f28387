/// What open pages show, part by part, each with the number of its last change; what a page lacks follows from what it has.
///
/// One for all pages: a page that is slow gets the newest of each part and costs nothing meanwhile.
struct EventBoard: Sendable {
  /// The parts of a page, in the order in which they are told.
  enum Part: String, Sendable, CaseIterable {
    case program, printer, backends, commands, widened
  }
  /// What one page has.
  struct Cursor: Sendable {
    fileprivate var revision: UInt64 = 0
    fileprivate var outcome: UInt64?
    fileprivate var beat: UInt64 = 0
    /// Nothing yet.
    init() {}
  }
  private struct Entry {
    var revision: UInt64
    var body: [UInt8]
  }
  /// So many outcomes of commands are kept for pages that are a little behind.
  static let outcomes = 50

  private var parts: [Part: Entry] = [:]
  private var revision: UInt64 = 0
  private var beat: UInt64 = 0
  /// The bodies of the newest outcomes, oldest first; the last one has the number `lastOutcome`.
  private var newest: [[UInt8]] = []
  private var lastOutcome: UInt64 = 0

  /// A board with nothing on it.
  init() {}

  /// Puts a part's body on; false where it says what it said.
  mutating func put(_ part: Part, _ body: [UInt8]) -> Bool {
    guard parts[part]?.body != body else { return false }
    revision += 1
    parts[part] = Entry(revision: revision, body: body)
    return true
  }

  /// A command came to its end.
  mutating func add(outcome body: [UInt8]) {
    lastOutcome += 1
    newest.append(body)
    if newest.count > Self.outcomes { newest.removeFirst() }
  }

  /// So many commands came to their end that cannot be told one by one.
  mutating func skip(outcomes count: UInt64) { lastOutcome += count }

  /// Whoever has nothing else to hear hears that we are here.
  mutating func sendBeat() { beat += 1 }

  /// The events that bring a page from `cursor` to now; empty where it has all.
  ///
  /// Outcomes from before its first call are not among them: the page asks for them by itself, page by page. One that is
  /// too far behind gets the event `gap` instead.
  func events(_ cursor: inout Cursor) -> [UInt8] {
    var bytes: [UInt8] = []
    for part in Part.allCases {
      guard let entry = parts[part], entry.revision > cursor.revision else { continue }
      bytes += Self.event(part.rawValue, entry.body)
    }
    let seen = cursor.outcome ?? lastOutcome
    let missing = lastOutcome > seen ? lastOutcome - seen : 0
    if missing > UInt64(newest.count) {
      bytes += Self.event("gap", Array("{}".utf8))
    } else {
      for body in newest.suffix(Int(missing)) { bytes += Self.event("outcome", body) }
    }
    if bytes.isEmpty, cursor.beat != beat, cursor.outcome != nil {
      bytes = Self.event("beat", Array("{}".utf8))
    }
    cursor.revision = revision
    cursor.outcome = lastOutcome
    cursor.beat = beat
    return bytes
  }

  /// One event of a stream; `body` is JSON on one line.
  static func event(_ name: String, _ body: [UInt8]) -> [UInt8] {
    Array("event: \(name)\ndata: ".utf8) + body + Array("\n\n".utf8)
  }
}
