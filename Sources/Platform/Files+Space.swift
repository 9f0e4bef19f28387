internal import Glibc

extension Files {
  /// How many bytes this user may still write on the file system of `path`.
  package static func freeSpace(at path: String) throws(PlatformError) -> Int64 {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else { throw .current("look at", path) }
    let (bytes, isHuge) = UInt64(status.f_bavail).multipliedReportingOverflow(
      by: UInt64(status.f_frsize))
    return isHuge ? .max : Int64(clamping: bytes)
  }

  /// Whether the disk under `path` counts its files and takes no further one.
  package static func hasNoInodes(at path: String) -> Bool {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else { return false }
    return status.f_files > 0 && status.f_favail == 0
  }
}
