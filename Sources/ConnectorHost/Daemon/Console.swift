internal import Glibc

/// Plain lines for the person at the terminal, beside the log.
enum Console {
  /// Writes a line to standard output.
  static func say(_ line: String) { write(line, to: STDOUT_FILENO) }

  /// Writes a line to standard error.
  static func complain(_ line: String) { write(line, to: STDERR_FILENO) }

  private static func write(_ line: String, to descriptor: Int32) {
    let bytes = Array((line + "\n").utf8)
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes[written...].withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      // A closed terminal is no reason to fail.
      guard count > 0 || errno == EINTR else { return }
      written += max(0, count)
    }
  }
}
