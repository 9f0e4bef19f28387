internal import CPlatform
internal import Glibc

/// The numbers of open files that every process is given: 0, 1 and 2.
package enum FileDescriptors {
  /// Whether something is open there.
  package static func isOpen(_ number: Int32) -> Bool {
    var status = stat()
    return unsafe fstat(number, &status) == 0
  }

  /// Puts `/dev/null` there, only for reading: no other file gets the number, and writing there fails.
  package static func occupy(_ number: Int32) {
    let null = retrying { unsafe platform_open("/dev/null", O_RDONLY, 0) }
    guard null >= 0, null != number else { return }
    dup2(null, number)
    close(null)
  }
}
