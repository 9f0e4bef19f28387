internal import ConnectorKit
internal import Cryptography
internal import Networking
internal import Platform

/// This printer's key pair, as the wire needs it.
struct PolarKey: Sendable {
  private let key: RSAKey

  /// The stored key, or a new one, which is stored before it is used.
  ///
  /// - Throws: `BackendFailure` (park) where the stored one cannot be used; what kept a new one from the disk.
  init(_ store: PolarStore) async throws {
    if let stored = store.record.key {
      do throws(RSAKey.Defect) { key = try RSAKey(pem: stored.revealed) } catch {
        throw BackendFailure(
          .park, "the stored private key cannot be used (\(error))",
          remedy: "import the original's polar_cloud.conf again, or unregister and register anew")
      }
      return
    }
    key = try await Self.make(in: store)
  }

  /// A new key, which is stored.
  static func renew(_ store: PolarStore) async throws -> PolarKey {
    PolarKey(key: try await make(in: store))
  }

  private init(key: RSAKey) { self.key = key }

  private static func make(in store: PolarStore) async throws -> RSAKey {
    // An eighth of a second of arithmetic.
    let made = try await offload { () throws(RSAKey.Defect) in try RSAKey() }
    guard let pem = made.privatePEM else {
      throw BackendFailure(.retry(after: nil), "no private key can be made: memory is short")
    }
    try await store.apply(.newKey(Secret(pem)))
    return made
  }

  /// The public half, as it goes out; nil for want of memory.
  var publicPEM: String? { key.publicPEM }

  /// The signature of a challenge in base64; nil for want of memory.
  func signature(of challenge: String) -> String? {
    key.signature(of: Array(challenge.utf8)).map { Base64.encode($0) }
  }
}
