internal import CPlatform
internal import Glibc

/// An open regular file that is read or written piece by piece, from its start on.
///
/// It is closed when its last owner lets it go. All of it blocks as long as the disk does; one thread at a time.
package final class ByteFile: Sendable {
  /// The path it was opened at.
  package let path: String
  private let descriptor: Int32

  /// Opens the file at `path` for reading.
  ///
  /// - Throws: `PlatformError`; a folder fails with `EISDIR`, a pipe or device with `EINVAL`.
  package init(reading path: String) throws(PlatformError) {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    let file = try FileDescriptor(opening: path, O_RDONLY | O_NONBLOCK)
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { throw .current("read", path) }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG else {
      throw PlatformError(
        operation: "read", subject: path, errorNumber: kind == S_IFDIR ? EISDIR : EINVAL)
    }
    self.path = path
    descriptor = file.released()
  }

  /// Makes a new file at `path`, 0600, for writing.
  ///
  /// - Throws: `PlatformError`; `EEXIST` where something stands there, a link included.
  package init(creating path: String) throws(PlatformError) {
    let file = try FileDescriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    self.path = path
    descriptor = file.released()
  }

  deinit { close(descriptor) }

  /// The file's present size in bytes.
  package func size() throws(PlatformError) -> Int64 {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .current("look at", path) }
    return Int64(status.st_size)
  }

  /// Reads the next bytes into `buffer`.
  ///
  /// - Returns: how many; 0 at the end of the file.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(PlatformError) -> Int {
    let count = retrying {
      unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
    }
    guard count >= 0 else { throw .current("read", path) }
    return count
  }

  /// The next bytes, at most `count`; empty at the end of the file.
  package func read(atMost count: Int) throws(PlatformError) -> [UInt8] {
    var failure: PlatformError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, got in
      do throws(PlatformError) {
        got = try unsafe read(into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Appends all of `bytes`; on return the system has them, not yet the disk.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(PlatformError) {
    var written = 0
    while written < bytes.count {
      let count = retrying {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
        return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
      }
      guard count >= 0 else { throw .current("write", path) }
      guard count > 0 else {
        throw PlatformError(operation: "write", subject: path, errorNumber: EIO)
      }
      written += count
    }
  }

  /// Appends all of `bytes`; on return the system has them, not yet the disk.
  package func write(_ bytes: [UInt8]) throws(PlatformError) {
    var failure: PlatformError?
    unsafe bytes.withUnsafeBytes { all in
      do throws(PlatformError) { try unsafe write(all) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
