internal import Glibc

extension Files {
  /// Makes the file `path` as a whole, or not at all: written beside it, on the disk, then named.
  ///
  /// - Parameters:
  ///   - mode: its permission bits; the umask does not count.
  ///   - owner: whose it is to be, with `group`; nil: ours.
  /// - Throws: `PlatformError`; `EEXIST` where something stands at `path`, a link included.
  package static func create(
    _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600, owner: UInt32? = nil,
    group: UInt32? = nil
  ) throws(PlatformError) {
    let temporary = try writeTemporary(
      beside: path, bytes, mode: mode, owner: owner, group: group)
    defer { unsafe unlink(temporary) }
    // Unlike rename, link never takes the place of what stands there.
    guard unsafe link(temporary, path) == 0 else { throw .current("make", path) }
    let parent = folder(of: path)
    let handle = try FileDescriptor(opening: parent, O_RDONLY | O_DIRECTORY)
    try handle.synchronize(subject: parent)
  }
}
