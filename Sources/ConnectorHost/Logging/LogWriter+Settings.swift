package import ConnectorKit

extension LogWriter {
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
}
