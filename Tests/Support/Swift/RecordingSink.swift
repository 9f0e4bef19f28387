package import ConnectorKit
internal import Platform

/// A log that keeps its lines as `level label text`.
package final class RecordingSink: LogSink {
  /// A log without lines.
  package init() {}
  private let kept = Guarded<[String]>([])

  /// The lines so far.
  package var lines: [String] { kept.withLock { $0 } }
  package func accepts(_ level: LogLevel, label: String) -> Bool { true }
  package func write(_ level: LogLevel, label: String, message: String) {
    kept.withLock { $0.append("\(level.rawValue) \(label) \(message)") }
  }
}
