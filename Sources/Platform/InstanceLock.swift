internal import CPlatform
internal import Glibc

/// An exclusive `flock` on a folder, held as long as this value's owner lives; a file in it names the holder.
///
/// The folder itself is locked, because that needs no room on the disk and no right to write.
package final class InstanceLock: Sendable {
  /// Why the lock was not given.
  package enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another process holds it; its pid where the file names one.
    case held(byProcess: Int32?)
    /// The folder could not be opened or locked.
    case system(PlatformError)

    /// One line: who holds it, or what failed.
    package var description: String {
      switch self {
      case .held(let process?): "process \(process) holds the lock"
      case .held(nil): "another process holds the lock"
      case .system(let error): error.description
      }
    }
  }

  private let folder: Int32

  /// Takes the lock on the folder of the file `path` without waiting, and writes our pid into the file (0600), where
  /// the disk takes it and no link stands there.
  ///
  /// - Parameter isSigned: whether our pid is written; else nothing is.
  package init(path: String, isSigned: Bool = true) throws(Failure) {
    let number: Int32
    let place = Files.folder(of: path)
    do throws(PlatformError) {
      number = try FileDescriptor(opening: place, O_RDONLY | O_DIRECTORY, mode: 0).released()
    } catch {
      throw .system(error)
    }
    guard retrying({ flock(number, LOCK_EX | LOCK_NB) }) == 0 else {
      let reason = errno
      close(number)
      if reason == EWOULDBLOCK { throw .held(byProcess: InstanceLock.process(in: path)) }
      throw .system(PlatformError(operation: "lock", subject: place, errorNumber: reason))
    }
    folder = number
    if isSigned { Self.sign(path) }
  }

  deinit { close(folder) }

  private static func sign(_ path: String) {
    // Whoever owns the folder may have put a link there.
    let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK
    guard let file = try? FileDescriptor(opening: path, flags, mode: 0o600).released() else {
      return
    }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_nlink == 1
    else { return }
    let text = Array("\(getpid())\n".utf8)
    guard ftruncate(file, 0) == 0 else { return }
    _ = unsafe pwrite(file, text, text.count, 0)
  }

  /// The process that last took the lock whose file is at `path`; nil where the file does not tell. Blocks.
  package static func process(in path: String) -> Int32? {
    guard let bytes = try? Files.read(path, limit: 16) else { return nil }
    return Int32(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
  }
}
