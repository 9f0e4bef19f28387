internal import ConnectorKit
internal import JSON
internal import Platform

/// Secrets of an imported entry, each in a file of its own in the state directory. Blocks.
struct SecretFiles {
  private static let folder = "secrets"
  private let directory: StateDirectory
  private let files: [(key: String, name: String, secret: Secret)]

  /// The files for the secrets of the entry `name`; nothing is written yet.
  init(_ secrets: [(key: String, secret: Secret)], of name: String, in directory: StateDirectory) {
    self.directory = directory
    files = secrets.map { key, secret in
      (key, "\(Self.folder)/\(FileIdentityStore.fileName(for: "\(name) \(key)"))", secret)
    }
  }

  /// The settings that name them.
  var settings: [(key: String, value: JSONValue)] {
    files.map { ("\($0.key)_file", .string(directory.path(of: $0.name))) }
  }

  /// Writes them, 0600.
  func write() throws(PlatformError) {
    guard !files.isEmpty else { return }
    try directory.makeFolder(Self.folder)
    for file in files {
      try directory.replace(file.name, with: Array(file.secret.revealed.utf8) + [0x0A])
    }
  }

  /// Where they lie.
  static func folder(in directory: StateDirectory) -> String { directory.path(of: folder) }

  /// Removes those of the entry `name`. Blocks.
  static func remove(of name: String, in directory: StateDirectory) throws(PlatformError) {
    let place = directory.path(of: folder)
    guard try Files.information(place) != nil else { return }
    let prefix = FileIdentityStore.fileName(for: "\(name) ")
    for file in try Files.names(in: place) where file.hasPrefix(prefix) {
      try Files.remove("\(place)/\(file)")
    }
  }

  /// Removes them, where the entry is not accepted.
  func remove() {
    for file in files { try? Files.remove(directory.path(of: file.name)) }
  }
}
