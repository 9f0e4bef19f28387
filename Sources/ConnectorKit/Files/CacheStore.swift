/// What a backend has fetched and may lose: on the disk, so that it does not lie in memory.
package protocol CacheStore: Sendable {
  /// What was stored under `key`; nil where there is nothing, or it cannot be read.
  ///
  /// - Parameter key: lower-case letters, digits and `-`.
  func load(_ key: String) async -> [UInt8]?

  /// Stores up to 256 KiB under `key`. What cannot be stored is forgotten.
  func store(_ bytes: [UInt8], as key: String) async
}

/// Forgets everything.
package struct NoCache: CacheStore {
  /// A cache of nothing.
  package init() {}
  package func load(_ key: String) async -> [UInt8]? { nil }
  package func store(_ bytes: [UInt8], as key: String) async {}
}
