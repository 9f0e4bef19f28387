internal import CPlatform
internal import Glibc

/// An exclusive `flock` on a file, held as long as this value's owner lives.
package final class InstanceLock: Sendable {
  /// Why the lock was not given.
  package enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another process holds it; its pid where the file names one.
    case held(byProcess: Int32?)
    /// The file could not be opened or locked.
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

  private let file: Int32

  /// Takes the lock on `path` (made 0600 when missing) without waiting, and writes our pid into it.
  package init(path: String) throws(Failure) {
    let number: Int32
    do throws(PlatformError) {
      let file = try FileDescriptor(opening: path, O_RDWR | O_CREAT, mode: 0o600)
      number = file.released()
    } catch {
      throw .system(error)
    }
    guard retrying({ flock(number, LOCK_EX | LOCK_NB) }) == 0 else {
      let reason = errno
      let holder = reason == EWOULDBLOCK ? InstanceLock.process(in: number) : nil
      close(number)
      if reason == EWOULDBLOCK { throw .held(byProcess: holder) }
      throw .system(PlatformError(operation: "lock", subject: path, errorNumber: reason))
    }
    let text = Array("\(getpid())\n".utf8)
    guard ftruncate(number, 0) == 0, unsafe pwrite(number, text, text.count, 0) == text.count else {
      let failure = PlatformError.current("write", path)
      close(number)
      throw .system(failure)
    }
    self.file = number
  }

  deinit { close(file) }

  private static func process(in file: Int32) -> Int32? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = retrying { unsafe pread(file, &bytes, bytes.count, 0) }
    guard count > 0 else { return nil }
    return Int32(String(decoding: bytes.prefix(count).prefix { $0 != 0x0A }, as: UTF8.self))
  }
}
