internal import Glibc
internal import Platform

/// Plain lines for the person at the terminal, beside the log.
enum Console {
  /// What became of standard output.
  private struct Loss {
    var errorNumber: Int32?
  }
  private static let loss = Guarded(Loss())

  /// Why something that was said never arrived; nil where all of it did, or the reader had enough.
  static var problem: String? {
    loss.withLock { $0.errorNumber }.map {
      PlatformError(operation: "write to", subject: "standard output", errorNumber: $0).description
    }
  }

  /// Takes the places of standard input, output and error where they are closed, so that no file gets them and what is said
  /// does not land in it; writing there goes on to fail. Call it first.
  static func occupyClosedPlaces() {
    for place in STDIN_FILENO...STDERR_FILENO where !FileDescriptors.isOpen(place) {
      FileDescriptors.occupy(place)
    }
  }

  /// Writes a line to standard output.
  static func say(_ line: String) {
    guard let errorNumber = write(line, to: STDOUT_FILENO), errorNumber != EPIPE else { return }
    loss.withLock { $0.errorNumber = errorNumber }
  }

  /// Writes a line to standard error.
  static func complain(_ line: String) { _ = write(line, to: STDERR_FILENO) }

  /// Why it was not written; nil where it was.
  private static func write(_ line: String, to descriptor: Int32) -> Int32? {
    let bytes = Array((line + "\n").utf8)
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes[written...].withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      guard count > 0 || errno == EINTR else { return errno }
      written += max(0, count)
    }
    return nil
  }
}
