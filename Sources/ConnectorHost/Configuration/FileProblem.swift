internal import Glibc
internal import Platform

/// Why a file that the configuration names cannot be used: what is wrong; what to do.
struct FileProblem: Error {
  var problem: String
  var remedy: String

  init(_ problem: String, _ remedy: String) {
    self.problem = problem
    self.remedy = remedy
  }

  /// The system's answer in words.
  ///
  /// - Parameter path: nil for the configuration itself.
  init(_ error: PlatformError, path: String?, limit: Int) {
    let subject = path.map { "the file \($0)" } ?? "the configuration"
    switch error.errorNumber {
    case ENOENT, ENOTDIR:
      self.init("\(subject) does not exist", "make it, or correct the path")
    case EACCES, EPERM:
      self.init(
        "\(subject) may not be read by this user",
        "change its owner or mode, or run as its owner")
    case EISDIR: self.init("\(path ?? subject) is a folder", "name a file in it")
    case EFBIG:
      self.init(
        "\(subject) is larger than \(Self.size(limit))", "check that this is the right file")
    case EINVAL: self.init("\(path ?? subject) is no regular file", "name a regular file")
    default: self.init(error.description, "check the path")
    }
  }

  private static func size(_ bytes: Int) -> String {
    bytes >= 1 << 20 ? "\(bytes >> 20) MB" : "\(bytes >> 10) kB"
  }
}
