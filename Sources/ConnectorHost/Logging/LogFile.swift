internal import Glibc
internal import Platform

/// The log file: appended to, rotated by size, opened anew when somebody has moved or removed it.
///
/// Blocks on the disk: for the log's own queue.
final class LogFile {
  /// Where it stands.
  let path: String
  private let mode: mode_t
  private let maximumBytes: Int
  private let backups: Int
  private var descriptor: Int32 = -1
  private var size = 0
  private var device: dev_t = 0
  private var inode: ino_t = 0
  /// The size at which to try again to rotate after that has failed.
  private var nextRotation: Int
  /// Whether the last write ended in the middle of a line.
  private var isTorn = false

  /// The file of `settings`, not opened yet; nil where they name none.
  convenience init?(_ settings: LogWriter.Settings) {
    guard let path = settings.file else { return nil }
    self.init(path: path, maximumBytes: settings.maximumBytes, backups: settings.backups)
  }

  /// A file at `path`, not opened yet.
  ///
  /// - Parameters:
  ///   - maximumBytes: the size at which it is rotated, at least 4 KiB.
  ///   - backups: how many rotated files are kept, 0 to 100.
  ///   - mode: the permission bits of a new file.
  init(path: String, maximumBytes: Int, backups: Int, mode: UInt32 = 0o640) {
    self.path = path
    self.mode = mode_t(mode)
    self.maximumBytes = max(4_096, maximumBytes)
    self.backups = min(max(0, backups), 100)
    nextRotation = self.maximumBytes
  }

  deinit { if descriptor >= 0 { _ = close(descriptor) } }

  /// Appends lines, each with its line end.
  ///
  /// - Throws: `PlatformError` where the file could not be opened or took no more; some lines may be written then.
  func append(_ lines: [String]) throws(PlatformError) {
    try reopenWhereMoved()
    var batch: [UInt8] = isTorn ? [UInt8(ascii: "\n")] : []
    for line in lines {
      if size + batch.count + line.utf8.count > nextRotation, size + batch.count > 0 {
        try write(batch)
        batch = []
        try rotate()
      }
      batch += line.utf8
    }
    try write(batch)
  }

  private func reopenWhereMoved() throws(PlatformError) {
    if descriptor >= 0 {
      var information = stat()
      if unsafe stat(path, &information) == 0, information.st_dev == device,
        information.st_ino == inode
      {
        // Somebody may have cut it short, `truncate -s 0` for one.
        size = Int(information.st_size)
        return
      }
      closeDescriptor()
    }
    try openFile()
  }

  private func openFile() throws(PlatformError) {
    // O_NONBLOCK: a FIFO without a reader is an error rather than a wait for ever.
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    let opened = unsafe open(path, flags, mode)
    guard opened >= 0 else { throw failure("open") }
    var information = stat()
    guard unsafe fstat(opened, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
      _ = close(opened)
      throw PlatformError(operation: "write the log to", subject: path, errorNumber: EINVAL)
    }
    if geteuid() == 0, information.st_uid == 0 { handOver(opened) }
    descriptor = opened
    size = Int(information.st_size)
    device = information.st_dev
    inode = information.st_ino
    nextRotation = maximumBytes
    isTorn = false
  }

  /// Gives a file that root made to its folder's owner: one run as root must not shut the daemon's own user out.
  private func handOver(_ descriptor: Int32) {
    guard let folder = try? Files.information(Files.folder(of: path)), folder.owner != 0 else {
      return
    }
    _ = fchown(descriptor, folder.owner, folder.group)
  }

  private func write(_ bytes: [UInt8]) throws(PlatformError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      guard count > 0 else {
        if count < 0 && errno == EINTR { continue }
        throw failure("write")
      }
      size += count
      rest = rest.dropFirst(count)
      isTorn = rest.first != nil && bytes[rest.startIndex - 1] != UInt8(ascii: "\n")
    }
  }

  /// Moves `path` to `path.1`, that to `path.2`, and so on; the oldest goes.
  private func rotate() throws(PlatformError) {
    if backups == 0 {
      guard unsafe unlink(path) == 0 else { return postponeRotation() }
    } else {
      for number in stride(from: backups - 1, through: 1, by: -1) {
        _ = unsafe rename("\(path).\(number)", "\(path).\(number + 1)")
      }
      guard unsafe rename(path, "\(path).1") == 0 else { return postponeRotation() }
    }
    closeDescriptor()
    try openFile()
  }

  /// The folder does not let us: go on in the same file rather than lose lines, and try again later.
  private func postponeRotation() {
    nextRotation = size.addingReportingOverflow(maximumBytes / 4).partialValue
  }

  private func closeDescriptor() {
    if descriptor >= 0 { _ = close(descriptor) }
    descriptor = -1
  }

  private func failure(_ operation: String) -> PlatformError {
    PlatformError(operation: operation, subject: path, errorNumber: errno)
  }
}
