internal import ConnectorKit
internal import Platform

/// One line of the log, before it has a shape.
struct LogLine: Sendable {
  var time: WallTime
  var level: LogLevel
  var label: String
  var message: String

  private static let messageLimit = 8 << 10

  init(time: WallTime, level: LogLevel, label: String, message: String) {
    self.time = time
    self.level = level
    self.label = label
    let isLong = message.utf8.count > Self.messageLimit
    self.message =
      isLong
      ? String(decoding: message.utf8.prefix(Self.messageLimit), as: UTF8.self) + "…" : message
  }

  /// `2026-11-21 09:08:54.123 INFO  reach: text`, with a line end.
  var plain: String { "\(stamp) \(word) \(text)\n" }

  /// The same, for a terminal: the level in colour, the stamp in the background.
  var coloured: String {
    let colour =
      switch level {
      case .trace, .debug: "2"
      case .info: "32"
      case .warning: "33"
      case .error: "31"
      case .critical: "1;31"
      }
    return "\u{1B}[2m\(stamp)\u{1B}[0m \u{1B}[\(colour)m\(word)\u{1B}[0m \(text)\n"
  }

  /// For the journal, which has its own stamps: `<6>reach: text`.
  var journal: String {
    let priority =
      switch level {
      case .trace, .debug: 7
      case .info: 6
      case .warning: 4
      case .error: 3
      case .critical: 2
      }
    return "<\(priority)>\(text)\n"
  }

  private var stamp: String { time.localStamp }

  private var word: String {
    switch level {
    case .trace: "TRACE"
    case .debug: "DEBUG"
    case .info: "INFO "
    case .warning: "WARN "
    case .error: "ERROR"
    case .critical: "CRIT "
    }
  }

  private var text: String { "\(label.onOneLine): \(message.onOneLine)" }
}
