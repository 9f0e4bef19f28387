internal import CPlatform
internal import Glibc

/// A regular file that is read in pieces; what is said of it is said of what was opened, whatever its path becomes.
///
/// Blocks: for ``offload(_:)`` and threads of one's own.
package struct OpenedFile: ~Copyable {
  private let descriptor: FileDescriptor
  private let path: String
  /// Its size in bytes when it was opened.
  package let size: Int64
  /// When it was changed, seconds since 1970.
  package let modified: Int64

  /// Opens the file at `path`; its last component must not be a link.
  ///
  /// - Throws: `PlatformError`; anything but a regular file fails with `EINVAL`.
  package init(reading path: String) throws(PlatformError) {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    let descriptor = try FileDescriptor(opening: path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
    var status = stat()
    guard unsafe fstat(descriptor.number, &status) == 0 else { throw .current("read", path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw PlatformError(operation: "read", subject: path, errorNumber: EINVAL)
    }
    self.descriptor = descriptor
    self.path = path
    size = Int64(status.st_size)
    modified = Int64(status.st_mtim.tv_sec)
  }

  /// The next bytes, at most `count`; empty at the end.
  ///
  /// - Throws: `PlatformError`.
  package func read(_ count: Int = 65_536) throws(PlatformError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(1, count))
    let got = retrying { unsafe Glibc.read(descriptor.number, &bytes, bytes.count) }
    guard got >= 0 else { throw .current("read", path) }
    bytes.removeSubrange(got...)
    return bytes
  }

  /// At most `count` bytes from `offset`; empty behind the end. Does not move what ``read(_:)`` reads next.
  ///
  /// - Throws: `PlatformError`.
  package func read(at offset: Int64, _ count: Int) throws(PlatformError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: max(1, count))
    let got = retrying {
      unsafe pread(descriptor.number, &bytes, max(0, count), off_t(max(0, offset)))
    }
    guard got >= 0 else { throw .current("read", path) }
    bytes.removeSubrange(got...)
    return bytes
  }
}
