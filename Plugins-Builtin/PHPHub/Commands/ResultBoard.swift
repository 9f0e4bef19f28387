internal import ConnectorKit
internal import JSON
internal import Platform

/// The results that updates carry: at most 20 at a time, each until three updates with it have been accepted.
struct ResultBoard: Sendable {
  /// The most results of an update.
  static let limit = 20
  /// So many accepted updates must carry each.
  static let tellings = 3

  private struct Entry: Sendable {
    var report: JSONObject
    var told = 0
  }
  private var entries: [Entry] = []
  /// How far commands are that have not ended, by id.
  private var progress: [(id: String, report: JSONObject)] = []

  /// A board with nothing on it.
  init() {}

  /// What a former run had on it.
  init(stored: JSONValue?) {
    entries = (stored?.array ?? []).suffix(Self.limit).compactMap {
      $0.object.map { Entry(report: $0) }
    }
  }

  /// As it lies on the disk.
  var stored: JSONValue { .array(entries.map { .object($0.report) }) }

  /// Whether there is room for another one.
  var hasRoom: Bool { entries.count < Self.limit }

  /// What an update carries now.
  var told: [JSONValue] {
    entries.map { .object($0.report) } + progress.suffix(4).map { .object($0.report) }
  }

  /// Puts a result on it; one of the same command gives way.
  mutating func put(_ report: JSONObject) {
    let id = report["id"]?.string
    progress.removeAll { $0.id == id }
    entries.removeAll { $0.report["id"]?.string == id }
    entries.append(Entry(report: report))
  }

  /// Notes how far a command is.
  mutating func note(_ report: CommandReport) {
    progress.removeAll { $0.id == report.id }
    progress.append((report.id, report.json))
  }

  /// Forgets how far a command is.
  mutating func forgetProgress(_ id: String) { progress.removeAll { $0.id == id } }

  /// An update that carried `told` has been accepted.
  ///
  /// - Returns: whether something has left the board.
  mutating func accepted(_ told: [JSONValue]) -> Bool {
    for index in entries.indices where told.contains(.object(entries[index].report)) {
      entries[index].told += 1
    }
    let before = entries.count
    entries.removeAll { $0.told >= Self.tellings }
    return entries.count != before
  }
}
