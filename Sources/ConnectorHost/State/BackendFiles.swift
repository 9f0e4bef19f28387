internal import ConnectorKit
internal import Platform

/// The files of one backend in a folder of its own in the state directory; it belongs to the backend's name.
package struct BackendFiles: StateFiles {
  private static let parent = "backends"
  private static let limit = 4 << 20
  private let directory: StateDirectory
  private let name: String

  /// The files of the backend `name`; nothing is opened.
  package init(directory: StateDirectory, name: String) {
    self.directory = directory
    self.name = "\(Self.parent)/\(FileIdentityStore.fileName(for: name))"
  }

  package var folder: String? { directory.path(of: name) }

  package func read(_ file: String) async throws -> [UInt8]? {
    try await offload { [path = directory.path(of: "\(name)/\(file)")] in
      guard try Files.information(path) != nil else { return nil }
      return try Files.read(path, limit: Self.limit)
    }
  }

  /// Removes all of them. Blocks.
  func remove() throws(PlatformError) {
    let path = directory.path(of: name)
    guard try Files.information(path) != nil else { return }
    for file in try Files.names(in: path) { try Files.remove("\(path)/\(file)") }
    try Files.removeFolder(path)
  }

  package func replace(_ file: String, with bytes: [UInt8]) async throws {
    try await offload { [directory, name] in
      try directory.makeFolder(Self.parent)
      try directory.makeFolder(name)
      try directory.replace("\(name)/\(file)", with: bytes)
    }
  }
}
