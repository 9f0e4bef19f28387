internal import Platform

/// A file that holds one value: the twin of a secret, or what `${file:…}` names.
enum ValueFile {
  /// The largest such file, in bytes.
  static let limit = 64 << 10

  /// The text of the file at `path`, without its trailing line break.
  ///
  /// - Throws: `FileProblem`.
  static func read(_ path: String) throws(FileProblem) -> String {
    let bytes: [UInt8]
    do { bytes = try Files.read(path, limit: limit) } catch {
      throw FileProblem(error, path: path, limit: limit)
    }
    guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0) else {
      throw FileProblem("the file \(path) is no text", "save it as UTF-8")
    }
    let end = text.unicodeScalars.reversed().prefix { $0 == "\n" || $0 == "\r" }.count
    let value = String(String.UnicodeScalarView(text.unicodeScalars.dropLast(end)))
    guard !value.isEmpty else {
      throw FileProblem("the file \(path) is empty", "write the value into it")
    }
    return value
  }

  /// Who else may read the secret at `path`; nil when nobody.
  enum Audience { case group, everyone }

  /// Who may read the file at `path` beside its owner.
  static func audience(_ path: String) -> Audience? {
    guard let mode = try? Files.information(path)?.mode else { return nil }
    if mode & 0o004 != 0 { return .everyone }
    return mode & 0o040 != 0 ? .group : nil
  }
}
