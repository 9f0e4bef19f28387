package import ConnectorKit
package import Platform

/// Writes log lines to the console and, in addition, to a file with rotation.
///
/// Levels change live, per label. Safe from any thread; a full disk or a lost file never fails the caller.
package final class LogWriter: LogSink {
  /// How the log is set up; all of it may change live.
  package struct Settings: Sendable, Hashable {
    /// The least level.
    package var level: LogLevel
    /// Least levels of single labels (backends).
    package var levels: [String: LogLevel]
    /// The file; nil: console only.
    package var file: String?
    /// Size in bytes at which the file is rotated.
    package var maximumBytes: Int
    /// How many rotated files are kept.
    package var backups: Int
    /// Settings of a log.
    package init(
      level: LogLevel = .info, levels: [String: LogLevel] = [:], file: String? = nil,
      maximumBytes: Int = 10 << 20, backups: Int = 5
    ) {
      self.level = level
      self.levels = levels
      self.file = file
      self.maximumBytes = maximumBytes
      self.backups = backups
    }
  }

  /// A log to standard error and, where set, to a file.
  package init(settings: Settings, time: any TimeSource) {}

  /// Takes new settings; the file is opened anew.
  package func configure(_ settings: Settings) {}

  package func accepts(_ level: LogLevel, label: String) -> Bool { true }
  package func write(_ level: LogLevel, label: String, message: String) {}
}
