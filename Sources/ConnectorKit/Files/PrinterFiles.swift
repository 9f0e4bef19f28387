/// Reads files of Moonraker's root `gcodes`.
package protocol PrinterFiles: Sendable {
  /// The first bytes of a file: all of it, or `limit` of them.
  ///
  /// - Parameter limit: at most so many bytes are fetched and returned; 1…16 MiB.
  /// - Throws: `CommandFailure` where the file is not there, Moonraker does not answer within 10 s, or the backend's
  ///   `permissions` do not hold `files.list`.
  func read(_ path: GCodePath, upTo limit: Int) async throws(CommandFailure) -> [UInt8]
}

/// A host without files.
package struct UnavailableFiles: PrinterFiles {
  /// Reads nothing.
  package init() {}
  /// Always throws.
  package func read(_ path: GCodePath, upTo limit: Int) async throws(CommandFailure) -> [UInt8] {
    throw CommandFailure(.notConnected, "the printer's files cannot be read")
  }
}
