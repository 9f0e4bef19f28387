package import ConnectorKit

/// What `printer-uplink run` was asked to do.
package struct RunOptions: Sendable {
  /// The configuration file.
  package var configurationPath: String
  /// One full round of every enabled backend, then the end.
  package var once: Bool
  /// A log level that wins over the file's.
  package var logLevel: LogLevel?
  /// Options of a run.
  package init(configurationPath: String, once: Bool = false, logLevel: LogLevel? = nil) {
    self.configurationPath = configurationPath
    self.once = once
    self.logLevel = logLevel
  }
}

/// The running daemon: one printer, one status cache, all backends under supervision.
package struct Daemon: Sendable {
  /// A daemon with these connectors; nothing is started.
  package init(
    options: RunOptions, registry: [any ConnectorBackend.Type], environment: [String: String]
  ) {}

  /// Runs until SIGTERM or SIGINT (or one round with `once`).
  ///
  /// - Returns: the exit status: 0, 1 (failed) or 78 (configuration).
  package func run() async -> Int32 { 1 }
}
