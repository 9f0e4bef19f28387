internal import Glibc

extension Files {
  /// Whether this process runs as root.
  package static var isRoot: Bool { geteuid() == 0 }

  /// The effective user id of this process.
  package static var effectiveUser: UInt32 { geteuid() }

  /// Gives `path` (links followed) to `owner` and `group`.
  ///
  /// - Throws: `PlatformError`; `EPERM` where this process may not.
  package static func setOwner(
    _ path: String, owner: UInt32, group: UInt32
  ) throws(PlatformError) {
    guard unsafe chown(path, owner, group) == 0 else {
      throw PlatformError(operation: "change the owner of", subject: path, errorNumber: errno)
    }
  }

  /// Sets the permission bits of `path` (links followed).
  package static func setMode(_ path: String, _ mode: UInt32) throws(PlatformError) {
    guard unsafe chmod(path, mode) == 0 else {
      throw PlatformError(operation: "change the mode of", subject: path, errorNumber: errno)
    }
  }

  /// The absolute path of what stands at `path`, without links, `.` and `..`; nil when nothing stands there.
  package static func realPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(validatingCString: resolved)
  }
}
