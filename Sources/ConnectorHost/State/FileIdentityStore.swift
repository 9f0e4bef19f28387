internal import ConnectorKit
internal import Cryptography
package import JSON
internal import Platform

/// The identity of one backend as a file of its own in the state directory; it belongs to the backend's name.
///
/// Its file work runs on a thread for blocking work.
package struct FileIdentityStore: IdentityStore {
  private static let folder = "identities"
  private let name: String
  private let directory: StateDirectory
  private let file: StateFile

  /// The identity of the backend `name`; nothing is opened.
  package init(directory: StateDirectory, name: String) {
    self.name = name
    self.directory = directory
    file = StateFile(
      directory: directory, name: "\(Self.folder)/\(Self.fileName(for: name)).json")
  }

  package func load() async throws -> JSONObject? {
    try await offload { [self] in
      do {
        guard let members = try file.read() else { return nil }
        guard let identity = members["identity"]?.object else {
          throw StateFile.Failure.damaged(path: path, problem: "it holds no identity")
        }
        return identity
      } catch let failure as StateFile.Failure {
        throw refusal(failure)
      }
    }
  }

  package func save(_ identity: JSONObject) async throws {
    try await offload { [self] in
      try directory.makeFolder(Self.folder)
      try file.write(["backend": .string(name), "identity": .object(identity)])
    }
  }

  package func remove() async throws {
    try await offload { [self] in try file.remove() }
  }

  /// The names under which the state directory at `path` holds identities, sorted, as far as the files' names tell.
  /// Blocks; opens no file.
  package static func names(inStateDirectory path: String) -> [String] {
    let files = (try? Files.names(in: "\(path)/\(folder)")) ?? []
    return files.filter { $0.hasSuffix(".json") }.compactMap { name(forFile: $0.dropLast(5)) }
      .sorted()
  }

  /// The files of the identities in the state directory at `path`. Blocks; opens none.
  static func files(inStateDirectory path: String) -> [String] {
    ((try? Files.names(in: "\(path)/\(folder)")) ?? []).filter { $0.hasSuffix(".json") }
      .map { "\(path)/\(folder)/\($0)" }
  }

  private var path: String { directory.path(of: file.name) }

  private func refusal(_ failure: StateFile.Failure) -> BackendFailure {
    switch failure {
    case .damaged:
      BackendFailure(
        .park, "the stored identity cannot be used: \(failure)",
        remedy: "put back a copy of the file, or delete it and pair again")
    case .newer:
      BackendFailure(
        .park, "the stored identity cannot be used: \(failure)",
        remedy: "install that version again, or delete the file and pair again")
    case .system(let error):
      // A full disk or a lost mount may come right by itself.
      BackendFailure(
        .retry(after: nil), "the stored identity cannot be read: \(error)",
        remedy: "check the state directory \(directory.path)")
    }
  }

  /// The name that ``fileName(for:)`` encoded; nil where it did not.
  private static func name(forFile file: Substring) -> String? {
    let parts = file.split(separator: "%", omittingEmptySubsequences: false)
    var bytes = Array((parts.first ?? "").utf8)
    for part in parts.dropFirst() {
      guard let byte = UInt8(part.prefix(2), radix: 16) else { return nil }
      bytes += [byte] + part.utf8.dropFirst(2)
    }
    guard let name = String(validating: bytes, as: UTF8.self), fileName(for: name) == file else {
      return nil
    }
    return name
  }

  /// `name` as a file name: letters, digits, `-` and `_` stand for themselves, all else is percent-encoded.
  static func fileName(for name: String) -> String {
    var encoded = ""
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        encoded += byte < 0x10 ? "%0" : "%"
        encoded += String(byte, radix: 16, uppercase: true)
      }
    }
    // File systems stop at 255 bytes; the digest keeps two long names apart.
    guard encoded.utf8.count > 120 else { return encoded }
    return encoded.prefix(60) + "%" + Digest.sha256Hex(Array(name.utf8))
  }
}
