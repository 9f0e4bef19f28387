/// Files and folders: what POSIX gives, with limits on reads and whole-or-nothing writes.
///
/// All of it blocks: call it at start-up, or through ``offload(_:)``.
package enum Files {
  /// What `stat` says of a path.
  package struct Information: Sendable {
    /// What kind of entry it is, after following links.
    package enum Kind: Sendable { case file, folder, other }
    /// The entry's kind.
    package var kind: Kind
    /// Size in bytes.
    package var size: Int64
    /// Permission bits, `0o7777` masked.
    package var mode: UInt32
    /// The owner's user id.
    package var owner: UInt32
    /// The owning group's id.
    package var group: UInt32
    /// Device, inode and modification time in nanoseconds: equal exactly while nobody changed the file.
    package var fingerprint: [Int64]
  }

  /// The whole file at `path`.
  ///
  /// - Parameter limit: the largest size in bytes that is read.
  /// - Throws: `PlatformError`; a larger file fails with `EFBIG`, a folder with `EISDIR`.
  package static func read(_ path: String, limit: Int) throws(PlatformError) -> [UInt8] { [] }

  /// What stands at `path` (links followed), or nil when nothing does.
  package static func information(_ path: String) throws(PlatformError) -> Information? { nil }

  /// Replaces `path` as a whole: temporary file beside it (`O_EXCL`, `mode`), fsync, rename, fsync of the folder.
  ///
  /// Whatever fails, the former content stays and no temporary file is left.
  package static func replace(
    _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600
  ) throws(PlatformError) {}

  /// Makes the folder `path` and its missing parents, the last with `mode`; an existing one is left as it is.
  package static func makeFolder(_ path: String, mode: UInt32 = 0o700) throws(PlatformError) {}

  /// Removes the file at `path`; one that is not there is no error.
  package static func remove(_ path: String) throws(PlatformError) {}

  /// The names in the folder `path`, sorted, without `.` and `..`.
  package static func names(in path: String) throws(PlatformError) -> [String] { [] }

  /// Whether this process may write to `path` (`access(2)`).
  package static func isWritable(_ path: String) -> Bool { false }
}
