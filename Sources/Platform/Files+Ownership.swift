internal import CPlatform
internal import Glibc

extension Files {
  /// Whether this process runs as root.
  package static var isRoot: Bool { geteuid() == 0 }

  /// The effective user id of this process.
  package static var effectiveUser: UInt32 { geteuid() }

  /// Gives what stands at `path` to `owner` and `group`; a link itself, never what it leads to.
  ///
  /// - Throws: `PlatformError`; `EPERM` where this process may not.
  package static func setOwner(
    _ path: String, owner: UInt32, group: UInt32
  ) throws(PlatformError) {
    guard unsafe lchown(path, owner, group) == 0 else {
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

  /// Whether `path` is a symbolic link itself.
  package static func isLink(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// The first owner other than root on the way from `/` to `path`, links and what they lead to included: who that is
  /// decides what stands at `path`. Nil where all of it is root's, or nothing stands there.
  package static func firstOwner(onTheWayTo path: String) -> Credentials.Owner? {
    let given = path.hasPrefix("/") ? path : "\(realPath(".") ?? "")/\(path)"
    for way in [given, realPath(given)].compactMap({ $0 }) {
      var reached = ""
      for part in way.split(separator: "/") {
        reached += "/\(part)"
        var status = stat()
        guard unsafe lstat(reached, &status) == 0 else { break }
        if status.st_uid != 0 {
          return Credentials.Owner(user: status.st_uid, group: status.st_gid)
        }
      }
    }
    return nil
  }
}
