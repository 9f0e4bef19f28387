internal import ConnectorKit
internal import Platform

/// A backend's cache in the state directory: `cache/<name>/<key>`, 0600.
struct FileCacheStore: CacheStore {
  private static let limit = 256 << 10
  private let folder: String

  /// The cache of the backend of this name; nothing is opened.
  init(directory: StateDirectory, name: String) {
    folder = "\(directory.path)/cache/\(FileIdentityStore.fileName(for: name))"
  }

  func load(_ key: String) async -> [UInt8]? {
    guard let path = path(key) else { return nil }
    return try? await offload { try Files.read(path, limit: Self.limit) }
  }

  func store(_ bytes: [UInt8], as key: String) async {
    guard bytes.count <= Self.limit, let path = path(key) else { return }
    _ = try? await offload { [folder] in
      try Files.makeFolder(folder, mode: 0o700)
      try Files.replace(path, with: bytes, mode: 0o600)
    }
  }

  private func path(_ key: String) -> String? {
    let isPlain = key.utf8.allSatisfy {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
    }
    return isPlain && (1...64).contains(key.utf8.count) ? "\(folder)/\(key)" : nil
  }
}
