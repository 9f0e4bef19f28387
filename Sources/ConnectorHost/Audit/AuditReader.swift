internal import Glibc
internal import Platform

/// Reads the audit's file while somebody may be writing it: whole lines only, across its rotations.
///
/// Blocks on the disk.
struct AuditReader {
  private static let chunk = 64 << 10
  private static let lineLimit = 64 << 10

  private let path: String
  private var file: OpenFile?
  /// What follows the last line end: a line that is not whole yet, or never will be.
  private var rest: [UInt8] = []

  /// A reader of the file at `path`; it need not exist yet.
  init(path: String) { self.path = path }

  /// All lines of the rotated files, oldest first, then those of the present one.
  ///
  /// - Throws: `PlatformError` where a file may not be read; one that is not there is no error.
  mutating func all() throws(PlatformError) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for number in stride(from: AuditLog.backups, through: 1, by: -1) {
      var older = AuditReader(path: "\(path).\(number)")
      lines += try older.new()
    }
    return try lines + new()
  }

  /// The lines that were written since the last call.
  mutating func new() throws(PlatformError) -> [[UInt8]] {
    var lines = try readToEnd()
    // A file that was rotated away has been read to its end by now; the new one begins with a whole line.
    if try !isCurrent {
      lines += try readToEnd()
      file = nil
      rest = []
      lines += try readToEnd()
    }
    return lines
  }

  private var isCurrent: Bool {
    get throws(PlatformError) {
      guard let file else { return true }
      guard let there = try Files.information(path) else { return true }
      return there.fingerprint.prefix(2) == file.identity[...] && there.size >= file.position
    }
  }

  private mutating func readToEnd() throws(PlatformError) -> [[UInt8]] {
    if file == nil {
      guard let found = try Files.information(path), found.kind == .file else { return [] }
      file = try OpenFile(path)
    }
    guard let file else { return [] }
    var lines: [[UInt8]] = []
    while true {
      let bytes = try file.next(Self.chunk)
      guard !bytes.isEmpty else { return lines }
      var pieces = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)[...]
      let last = pieces.popLast() ?? []
      for piece in pieces {
        let line = rest + piece
        if !line.isEmpty { lines.append(line) }
        rest = []
      }
      rest += last
      // No line of ours is that long.
      if rest.count > Self.lineLimit { rest = [] }
    }
  }

  /// A file that stays the same when its name goes to another.
  private final class OpenFile {
    private let descriptor: Int32
    private let path: String
    /// Device and inode.
    let identity: [Int64]
    private(set) var position: Int64 = 0

    init(_ path: String) throws(PlatformError) {
      self.path = path
      descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
      guard descriptor >= 0 else { throw PlatformError.current("open", path) }
      var status = stat()
      guard unsafe fstat(descriptor, &status) == 0 else {
        let failure = PlatformError.current("look at", path)
        close(descriptor)
        throw failure
      }
      identity = [
        Int64(truncatingIfNeeded: status.st_dev), Int64(truncatingIfNeeded: status.st_ino),
      ]
    }

    deinit { close(descriptor) }

    func next(_ count: Int) throws(PlatformError) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: count)
      let read = unsafe pread(descriptor, &bytes, count, off_t(position))
      if read < 0 {
        guard errno == EINTR else { throw PlatformError.current("read", path) }
        return try next(count)
      }
      position += Int64(read)
      return Array(bytes.prefix(read))
    }
  }
}
