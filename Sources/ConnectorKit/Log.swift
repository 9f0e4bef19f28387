/// How much a line matters.
package enum LogLevel: String, Sendable, CaseIterable, Comparable {
  case trace, debug, info, warning, error, critical
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  /// `trace` is least.
  package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }
}

/// Where log lines go.
package protocol LogSink: Sendable {
  /// Whether a line of `level` under `label` would be written; asked before its text is made.
  func accepts(_ level: LogLevel, label: String) -> Bool
  /// Writes one line; must not block for long. Safe from any thread.
  func write(_ level: LogLevel, label: String, message: String)
}

/// A log that carries a name.
package struct Log: Sendable {
  /// The name on each line: a backend's name, `moonraker`, `host`.
  package var label: String
  private var sink: any LogSink

  /// A log for `label` into `sink`.
  package init(label: String, sink: any LogSink) {
    self.label = label
    self.sink = sink
  }

  /// Writes `message` at `level`; the text is made only when somebody wants it.
  package func callAsFunction(_ level: LogLevel, _ message: @autoclosure () -> String) {
    guard sink.accepts(level, label: label) else { return }
    sink.write(level, label: label, message: message())
  }
}
