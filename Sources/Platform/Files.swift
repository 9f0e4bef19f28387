internal import CPlatform
internal import Glibc

/// Files and folders: what POSIX gives, with limits on reads and whole-or-nothing writes.
///
/// All of it blocks: call it at start-up, or through ``offload(_:)``.
package enum Files {
  /// What `stat` says of a path.
  package struct Information: Sendable, Hashable {
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
    /// Device, inode, size, and the times of modification and change in nanoseconds: equal exactly while nobody changed the file.
    package var fingerprint: [Int64]
  }

  /// The whole file at `path`.
  ///
  /// - Parameter limit: the largest size in bytes that is read.
  /// - Throws: `PlatformError`; a larger file fails with `EFBIG`, a folder with `EISDIR`, a pipe or device with `EINVAL`.
  package static func read(_ path: String, limit: Int) throws(PlatformError) -> [UInt8] {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    let file = try FileDescriptor(opening: path, O_RDONLY | O_NONBLOCK)
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { throw .current("read", path) }
    let found = Information(status)
    guard found.kind == .file else {
      throw PlatformError(
        operation: "read", subject: path, errorNumber: found.kind == .folder ? EISDIR : EINVAL)
    }
    guard found.size <= Int64(limit) else {
      throw PlatformError(operation: "read", subject: path, errorNumber: EFBIG)
    }
    // The size is a hint (/proc says 0, and the file may grow): read on to the end, one byte past the limit.
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(clamping: found.size))
    var chunk = [UInt8](repeating: 0, count: min(max(Int(clamping: found.size), 4096), 65_536))
    while true {
      let count = retrying { unsafe Glibc.read(file.number, &chunk, chunk.count) }
      if count < 0 { throw .current("read", path) }
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk.prefix(count))
      guard bytes.count <= limit else {
        throw PlatformError(operation: "read", subject: path, errorNumber: EFBIG)
      }
    }
  }

  /// What stands at `path` (links followed), or nil when nothing does.
  package static func information(_ path: String) throws(PlatformError) -> Information? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .current("look at", path)
    }
    return Information(status)
  }

  /// Replaces `path` as a whole: temporary file beside it (`O_EXCL`, `mode`), fsync, rename, fsync of the folder.
  ///
  /// Whatever fails, the former content stays and no temporary file is left. A symbolic link at
  /// `path` is replaced by the file; to write behind it, give the owner and group as well.
  package static func replace(
    _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600
  ) throws(PlatformError) {
    try replace(path, with: bytes, mode: mode, owner: nil, group: nil)
  }

  /// Replaces the file behind `path` (links followed) as a whole, with this mode, owner and group.
  ///
  /// - Throws: `PlatformError`, also where the owner cannot be kept: the former file then stays as it was.
  package static func replace(
    _ path: String, with bytes: [UInt8], mode: UInt32, owner: UInt32, group: UInt32
  ) throws(PlatformError) {
    try replace(
      try resolved(path), with: bytes, mode: mode, owner: Optional(owner), group: Optional(group))
  }

  /// The path of what `path` stands for, all symbolic links followed.
  private static func resolved(_ path: String) throws(PlatformError) -> String {
    guard let text = unsafe realpath(path, nil) else { throw .current("follow", path) }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }

  /// Makes the folder `path` and its missing parents, the last with `mode`; an existing one is left as it is.
  package static func makeFolder(_ path: String, mode: UInt32 = 0o700) throws(PlatformError) {
    if let found = try information(path) {
      guard found.kind == .folder else {
        throw PlatformError(operation: "make the folder", subject: path, errorNumber: ENOTDIR)
      }
      return
    }
    let parent = folder(of: path)
    if parent != path { try makeFolder(parent, mode: 0o755) }
    guard unsafe mkdir(path, mode_t(mode)) == 0 else {
      if errno == EEXIST { return }
      throw .current("make the folder", path)
    }
  }

  /// Removes the file at `path`; one that is not there is no error.
  package static func remove(_ path: String) throws(PlatformError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw .current("remove", path) }
  }

  /// Removes an empty folder; one that is not there is no failure.
  package static func removeFolder(_ path: String) throws(PlatformError) {
    guard unsafe rmdir(path) == 0 || errno == ENOENT else { throw .current("remove", path) }
  }

  /// The names in the folder `path`, sorted, without `.` and `..`.
  package static func names(in path: String) throws(PlatformError) -> [String] {
    guard let stream = unsafe opendir(path) else { throw .current("list", path) }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        if errno != 0 { throw .current("list", path) }
        return names.sorted()
      }
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }

  /// Whether the file system at `path` is mounted read-only.
  package static func isOnReadOnlyFileSystem(_ path: String) throws(PlatformError) -> Bool {
    var information = statvfs()
    guard unsafe statvfs(path, &information) == 0 else {
      throw PlatformError.current("look at", path)
    }
    return information.f_flag & UInt(ST_RDONLY) != 0
  }

  /// Whether this process may write to `path` (`access(2)`).
  package static func isWritable(_ path: String) -> Bool { unsafe access(path, W_OK) == 0 }

  /// The folder in which `path` stands: `/a/b` for `/a/b/c`, `.` for a bare name.
  package static func folder(of path: String) -> String {
    var path = path[...]
    while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
    guard let slash = path.lastIndex(of: "/") else { return "." }
    var parent = path[..<slash]
    while parent.hasSuffix("/") { parent.removeLast() }
    return parent.isEmpty ? "/" : String(parent)
  }
}

extension Files.Information {
  fileprivate init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      default: .other
      }
    size = Int64(status.st_size)
    mode = UInt32(status.st_mode & 0o7777)
    owner = status.st_uid
    group = status.st_gid
    func nanoseconds(_ time: timespec) -> Int64 {
      Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
    fingerprint = [
      Int64(truncatingIfNeeded: status.st_dev), Int64(truncatingIfNeeded: status.st_ino),
      Int64(status.st_size), nanoseconds(status.st_mtim), nanoseconds(status.st_ctim),
    ]
  }
}

extension Files {
  private static func replace(
    _ path: String, with bytes: [UInt8], mode: UInt32, owner: UInt32?, group: UInt32?
  ) throws(PlatformError) {
    let temporary = try writeTemporary(
      beside: path, bytes, mode: mode, owner: owner, group: group)
    guard unsafe rename(temporary, path) == 0 else {
      let failure = PlatformError.current("replace", path)
      unsafe unlink(temporary)
      throw failure
    }
    // The name is on the disk only when the folder is.
    let parent = folder(of: path)
    let handle = try FileDescriptor(opening: parent, O_RDONLY | O_DIRECTORY)
    try handle.synchronize(subject: parent)
  }

  /// A new file beside `path` with all that it shall hold, on the disk.
  private static func writeTemporary(
    beside path: String, _ bytes: [UInt8], mode: UInt32, owner: UInt32?, group: UInt32?
  ) throws(PlatformError) -> String {
    let name = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp"
    let file = try FileDescriptor(opening: name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    do throws(PlatformError) {
      if let owner, let group {
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else { throw .current("look at", name) }
        if status.st_uid != owner || status.st_gid != group {
          guard fchown(file.number, owner, group) == 0 else {
            throw .current("keep the owner of", path)
          }
        }
      }
      // After the owner: chown clears set-id bits. fchmod rather than open's mode: the umask does not count.
      guard fchmod(file.number, mode_t(mode)) == 0 else {
        throw .current("set the permissions of", name)
      }
      try file.writeAll(bytes, subject: name)
      try file.synchronize(subject: name)
    } catch {
      unsafe unlink(name)
      throw error
    }
    return name
  }
}
