internal import Glibc

extension Files {
  /// Gives what stands at `path` the name `destination` on the same file system, in place of what stands there.
  ///
  /// - Returns: false when nothing stands at `path`.
  /// - Throws: `PlatformError`.
  @discardableResult
  package static func move(
    _ path: String, to destination: String
  ) throws(PlatformError) -> Bool {
    guard unsafe rename(path, destination) == 0 else {
      if errno == ENOENT { return false }
      throw .current("rename", path)
    }
    return true
  }
}
