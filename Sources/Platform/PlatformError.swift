internal import CPlatform
internal import Glibc

/// A system call that failed: what was being done, on what, why, and what to do about it.
package struct PlatformError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was being done, as a verb phrase: `open`, `rename`.
  package var operation: String
  /// The path or other subject.
  package var subject: String
  /// The system's error number.
  package var errorNumber: Int32

  /// A failure of `operation` on `subject` with `errno` `errorNumber`.
  package init(operation: String, subject: String, errorNumber: Int32) {
    self.operation = operation
    self.subject = subject
    self.errorNumber = errorNumber
  }

  /// The failure that `errno` names now: call it right after the system call.
  package static func current(_ operation: String, _ subject: String) -> PlatformError {
    PlatformError(operation: operation, subject: subject, errorNumber: errno)
  }

  /// The system's own words: `Permission denied`.
  package var reason: String {
    var text = [CChar](repeating: 0, count: 256)
    guard unsafe __xpg_strerror_r(errorNumber, &text, text.count) == 0 else {
      return "error \(errorNumber)"
    }
    return String(cCharacters: text)
  }

  /// What the owner can do about it; empty where the reason says it all.
  package var remedy: String {
    switch errorNumber {
    case ENOENT: "check the path, or make it"
    case EACCES, EPERM:
      "give the user that runs this program the right to it (`chown` or `chmod`)"
    case EISDIR: "name a file, not a folder"
    case ENOTDIR: "a part of the path is a file: correct the path"
    case ENOSPC, EDQUOT: "free some space on that disk"
    case EROFS: "the file system is read-only: choose another place or remount it"
    case EFBIG: "the file is larger than this program reads: check that it is the right one"
    case EMFILE, ENFILE: "too many open files: raise the limit of the service"
    case ELOOP: "the symbolic links form a circle: correct them"
    case ENAMETOOLONG: "choose a shorter path"
    case EIO: "the disk reports errors: check the card or drive"
    default: ""
    }
  }

  /// One line: `cannot open /x: Permission denied; give the user …`.
  package var description: String {
    let problem = "cannot \(operation) \(subject): \(reason)"
    return remedy.isEmpty ? problem : "\(problem); \(remedy)"
  }
}

extension String {
  /// The text up to the first NUL; what is not UTF-8 is replaced.
  init(cCharacters: [CChar]) {
    // CChar is signed on x86-64 and unsigned on arm64.
    let bytes = cCharacters.prefix { $0 != 0 }.map { UInt8(truncatingIfNeeded: $0) }
    self.init(decoding: bytes, as: UTF8.self)
  }
}
