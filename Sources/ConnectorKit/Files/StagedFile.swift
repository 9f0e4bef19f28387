internal import Platform

/// A file in the host's private staging folder, 0600, under a name that nobody else knows. It is gone when its last
/// owner lets it go.
package final class StagedFile: Sendable {
  /// Its path.
  package let path: String
  /// Its size in bytes.
  package let size: Int64
  /// The SHA-256 of its bytes, lower-case hex.
  package let sha256: String

  /// Takes ownership of the file at `path`.
  package init(path: String, size: Int64, sha256: String) {
    self.path = path
    self.size = size
    self.sha256 = sha256
  }

  deinit { try? Files.remove(path) }
}
