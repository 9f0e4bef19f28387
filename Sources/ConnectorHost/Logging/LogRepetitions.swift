internal import ConnectorKit
internal import Platform

/// Lines that come again and again, which are counted instead of written. A pure value.
///
/// A network that comes and goes all night says the same few things each time. The first four lines of one text are
/// written; those that follow are told of by one line every ten minutes, until none has come for so long. Only what
/// is of level info or more is counted: at debug every call has its line. What the host itself says follows somebody's
/// act, such as a reload, who waits for that line.
struct LogRepetitions: Sendable {
  /// So many lines of one text are written before they are counted.
  static let shown = 4
  /// How often it is told what was counted.
  static let window = Duration.seconds(600)
  /// So many texts are told apart; the lines of further ones are all written.
  static let limit = 256

  private struct Key: Hashable {
    var label: String
    var level: LogLevel
    var text: String
  }
  private struct Entry {
    var begin: MonotonicInstant
    /// When it came last.
    var last: MonotonicInstant
    var shown = 1
    var held = 0
    var heldSince = WallTime(millisecondsSinceEpoch: 0)

    func isOver(at now: MonotonicInstant) -> Bool {
      begin.duration(to: now) >= LogRepetitions.window
    }
  }
  private var entries: [Key: Entry] = [:]

  init() {}

  /// Whether a line is to be written; one that is not is counted. What is ``due(at:wallTime:all:)`` comes before it.
  mutating func takes(_ line: LogLine, at now: MonotonicInstant) -> Bool {
    guard line.level >= .info, line.label != "host" else { return true }
    let key = Key(label: line.label, level: line.level, text: Self.withoutCount(line.message))
    guard var entry = entries[key], entry.held > 0 || !entry.isOver(at: now) else {
      if entries.count >= Self.limit {
        entries = entries.filter { $0.value.held > 0 || !$0.value.isOver(at: now) }
      }
      if entries.count < Self.limit || entries[key] != nil {
        entries[key] = Entry(begin: now, last: now)
      }
      return true
    }
    entry.last = now
    let isShown = entry.shown < Self.shown
    if isShown {
      entry.shown += 1
    } else {
      if entry.held == 0 { entry.heldSince = line.time }
      entry.held += 1
    }
    entries[key] = entry
    return isShown
  }

  /// What there is to say about lines that were counted.
  ///
  /// - Parameter all: whether also about those whose ten minutes are not over.
  mutating func due(at now: MonotonicInstant, wallTime: WallTime, all: Bool = false) -> [LogLine] {
    let told = entries.filter { $0.value.held > 0 && (all || $0.value.isOver(at: now)) }
    for (key, entry) in told {
      entries[key]?.begin = entry.last
      entries[key]?.held = 0
    }
    return told.sorted { $0.value.heldSince < $1.value.heldSince }.map { key, entry in
      // Of `2026-11-21 09:08:54.123` the time of day.
      let since = entry.heldSince.localStamp.dropFirst(11).prefix(8)
      let times = entry.held == 1 ? "once more at" : "\(entry.held) more times since"
      return LogLine(
        time: wallTime, level: key.level, label: key.label,
        message: "\(key.text) (\(times) \(since))")
    }
  }

  /// When something is due next; nil while nothing is held back.
  var nextDue: MonotonicInstant? {
    entries.values.filter { $0.held > 0 }.map { $0.begin.advanced(by: Self.window) }.min()
  }

  /// The text without the ` (4 times)` of who counts by itself.
  private static func withoutCount(_ message: String) -> String {
    guard let end = message.firstRange(ofText: " times)") else { return message }
    let head = message[..<end.lowerBound]
    let digits = head.reversed().prefix(while: \.isNumber).count
    let text = head.dropLast(digits)
    guard text.hasSuffix(" (") else { return message }
    return String(text.dropLast(2) + message[end.upperBound...])
  }
}
