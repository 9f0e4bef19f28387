internal import ConnectorKit
internal import Cryptography
internal import JSON
internal import Platform

/// The memory of one-time secrets that have been spent but still stand somewhere: their digests, in `retired.json`.
///
/// It only serves a note for the owner: a lost file costs nothing else.
final class RetiredSecrets: Sendable {
  /// Older ones are forgotten beyond this many.
  private static let limit = 200
  private let file: StateFile
  private let digests: Guarded<[String]>
  private let log: Log

  /// Reads the memory. Blocks.
  init(directory: StateDirectory, log: Log) {
    self.log = log
    file = StateFile(directory: directory, name: "retired.json")
    do {
      digests = Guarded(try file.read()?["retired"]?.array?.compactMap(\.string) ?? [])
    } catch {
      digests = Guarded([])
      log(.warning, "\(error); the memory of spent tokens starts anew")
    }
  }

  /// Whether this secret under this key has been spent.
  func contains(_ secret: Secret, key: String) -> Bool {
    digests.withLock { digests in
      !digests.isEmpty && digests.contains(Self.digest(of: secret, key: key))
    }
  }

  /// Remembers a spent secret. Blocks.
  func add(_ secret: Secret, key: String) {
    let digest = Self.digest(of: secret, key: key)
    let changed = digests.withLock { digests -> [String]? in
      guard !digests.contains(digest) else { return nil }
      digests.append(digest)
      if digests.count > Self.limit { digests.removeFirst(digests.count - Self.limit) }
      return digests
    }
    guard let changed else { return }
    do {
      try file.write(["retired": .array(changed.map { .string($0) })])
    } catch {
      log(.warning, "\(error); that \(key) is spent will be forgotten at the next start")
    }
  }

  private static func digest(of secret: Secret, key: String) -> String {
    Digest.sha256Hex(Array("\(key)\0\(secret.revealed)".utf8))
  }
}
