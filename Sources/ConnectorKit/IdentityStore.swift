package import JSON

/// What pairing yielded (ids, secrets, keys, rotated tokens), kept per backend name: 0600, whole or not at all.
package protocol IdentityStore: Sendable {
  /// The stored identity; nil when there is none.
  ///
  /// - Throws: `BackendFailure` when the file is damaged or from a newer program: it says what to do.
  func load() async throws -> JSONObject?

  /// Replaces the stored identity; on return it is on the disk (fsync of file and folder).
  func save(_ identity: JSONObject) async throws

  /// Forgets the stored identity.
  func remove() async throws
}
