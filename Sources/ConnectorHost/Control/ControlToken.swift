internal import Cryptography
internal import Platform

/// The token with which visitors from elsewhere may change something.
package struct ControlToken: Sendable, Hashable {
  /// The least length of a token that somebody chose, in characters.
  private static let leastLength = 16
  private let digest: String

  /// Reads the token at `path`, and makes one (0600) where there is none.
  ///
  /// Blocks on the disk.
  ///
  /// - Throws: `StateFailure` where it cannot be read or made, others can read it, or it is too short.
  package init(file path: String) throws(StateFailure) {
    guard !PrinterData.isServed(StateDirectory.resolved(path)) else {
      throw StateFailure(
        "control.token_file: every Moonraker client can read \(path), so it protects nothing; choose a folder outside of printer_data"
      )
    }
    do throws(PlatformError) {
      if try Files.information(path) == nil { try Self.make(path) }
    } catch {
      throw StateFailure("control.token_file: \(error)")
    }
    guard ValueFile.audience(path) == nil else {
      throw StateFailure(
        "control.token_file: others can read \(path), so it protects nothing; chmod 600 \(path)")
    }
    do throws(FileProblem) {
      let text = try ValueFile.read(path)
      guard text.count >= Self.leastLength else {
        throw FileProblem(
          "the token in \(path) is too short",
          "write at least \(Self.leastLength) characters, or remove the file to get a new one")
      }
      digest = Self.digest(of: text)
    } catch {
      throw StateFailure("control.token_file: \(error.problem); \(error.remedy)")
    }
  }

  /// Whether `authorization`, the value of the field of that name, carries the token.
  ///
  /// The time that it takes tells nothing of the token.
  func accepts(_ authorization: String?) -> Bool {
    let words = (authorization ?? "").split(separator: " ")
    guard words.count == 2, words[0].lowercased() == "bearer" else { return false }
    var difference: UInt8 = 0
    for (left, right) in zip(digest.utf8, Self.digest(of: String(words[1])).utf8) {
      difference |= left ^ right
    }
    return difference == 0
  }

  private static func digest(of text: String) -> String { Digest.sha256Hex(Array(text.utf8)) }

  private static func make(_ path: String) throws(PlatformError) {
    var generator = SystemRandomNumberGenerator()
    var text = ""
    for _ in 0..<32 {
      let byte = UInt8.random(in: .min ... .max, using: &generator)
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    let folder = Files.folder(of: path)
    try Files.makeFolder(folder, mode: 0o700)
    try Files.replace(path, with: Array((text + "\n").utf8), mode: 0o600)
    // Made by root, it is for the daemon's own user.
    guard Files.isRoot, let owner = try Files.information(folder), owner.owner != 0 else { return }
    try Files.setOwner(path, owner: owner.owner, group: owner.group)
  }
}
