internal import Platform

/// Small files of a backend's own in the state directory, 0600: what it must not lose and what is no secret.
package protocol StateFiles: Sendable {
  /// The folder's path, for people; nil where nothing is on a disk.
  var folder: String? { get }

  /// A file's bytes; nil where there is none. At most 4 MiB.
  ///
  /// - Throws: `PlatformError` where it cannot be read.
  func read(_ name: String) async throws -> [UInt8]?

  /// Replaces a file as a whole; on the disk when this returns.
  ///
  /// - Throws: `PlatformError`.
  func replace(_ name: String, with bytes: [UInt8]) async throws
}

/// Files in memory, which end with the daemon.
package final class MemoryStateFiles: StateFiles {
  private let kept = Guarded<[String: [UInt8]]>([:])

  /// No files yet.
  package init() {}

  package var folder: String? { nil }
  package func read(_ name: String) async throws -> [UInt8]? { kept.withLock { $0[name] } }
  package func replace(_ name: String, with bytes: [UInt8]) async throws {
    kept.withLock { $0[name] = bytes }
  }
}
