internal import CPlatform
internal import Glibc

/// An open file, closed when its owner goes.
struct FileDescriptor: ~Copyable {
  let number: Int32

  /// Takes ownership of an open descriptor.
  init(owning number: Int32) { self.number = number }

  /// Opens `path`; `O_CLOEXEC` is always added, interruptions are repeated.
  init(opening path: String, _ flags: Int32, mode: UInt32 = 0) throws(PlatformError) {
    guard !path.utf8.contains(0) else {
      throw PlatformError(operation: "open", subject: path, errorNumber: EINVAL)
    }
    let number = retrying { unsafe platform_open(path, flags | O_CLOEXEC, mode_t(mode)) }
    guard number >= 0 else { throw .current("open", path) }
    self.number = number
  }

  deinit { close(number) }

  /// Gives the open descriptor to the caller, who closes it.
  consuming func released() -> Int32 {
    let number = self.number
    discard self
    return number
  }

  /// Writes all of `bytes`.
  func writeAll(_ bytes: [UInt8], subject: String) throws(PlatformError) {
    var written = 0
    while written < bytes.count {
      let count = retrying {
        unsafe bytes.withUnsafeBytes { all in
          let rest = unsafe UnsafeRawBufferPointer(rebasing: all[written...])
          return unsafe write(number, rest.baseAddress, rest.count)
        }
      }
      guard count > 0 else {
        if count == 0 {
          throw PlatformError(operation: "write", subject: subject, errorNumber: EIO)
        }
        throw .current("write", subject)
      }
      written += count
    }
  }

  /// Waits until the file is on the disk.
  func synchronize(subject: String) throws(PlatformError) {
    guard retrying({ fsync(number) }) == 0 else { throw .current("write to the disk", subject) }
  }
}

/// Repeats a system call for as long as a signal interrupts it.
func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result == -1 && errno == EINTR { continue }
    return result
  }
}
