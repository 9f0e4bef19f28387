internal import ConnectorKit
internal import Platform

/// Takes a spent one-time secret out of the configuration file, where it stands there literally.
struct SpentSecretRemover: Sendable {
  /// What became of the secret's line.
  enum Outcome: Sendable, Hashable {
    /// It is gone; the file now has this fingerprint.
    case removed(line: Int, fingerprint: String)
    /// It still stands somewhere, for this reason.
    case kept(reason: String)
  }

  private static let limit = 1 << 20

  /// What reads the file: the same rules as at the start.
  let loader: ConfigurationLoader
  /// The configuration file, as given.
  let path: String

  /// Removes the line of `key` in the entry of `backend`. Comments, owner and mode stay; behind a link, the file
  /// itself is changed. Blocks.
  ///
  /// - Parameter fingerprint: the file as it was loaded: nothing is touched when somebody changed it since.
  func remove(_ key: String, of backend: String, loaded fingerprint: String) -> Outcome {
    let target = Files.realPath(path) ?? path
    do {
      guard let before = try Files.information(target) else {
        return .kept(reason: "\(path) is gone")
      }
      let text = try Files.read(target, limit: Self.limit)
      let loaded = loader.load(path)
      guard loaded.fingerprint == fingerprint, let configuration = loaded.configuration else {
        return .kept(reason: "\(path) was changed since it was loaded")
      }
      guard let entry = configuration.backends.first(where: { $0.name == backend }),
        case .file(let line, _, isLiteral: true)? = entry.settings.entries[key]?.origin
      else { return .kept(reason: "it does not stand in \(path) itself") }
      guard entry.isValid(without: key) else {
        return .kept(reason: "the entry would not be valid without it")
      }
      let spellings = entry.connector.descriptor.settings.first { $0.key == key }?.aliases ?? []
      guard
        let edited = ConfigurationText.removing([key] + spellings, onLine: line, from: text)
      else {
        return .kept(reason: "line \(line) holds more than that")
      }
      guard try Files.information(target)?.fingerprint == before.fingerprint else {
        return .kept(reason: "\(path) is being changed")
      }
      try Files.replace(
        target, with: edited, mode: before.mode, owner: before.owner, group: before.group)
      return .removed(line: line, fingerprint: loader.load(path).fingerprint)
    } catch {
      return .kept(reason: "\(error)")
    }
  }
}

extension BackendConfiguration {
  /// Whether the entry would still be accepted if `key` were not set.
  fileprivate func isValid(without key: String) -> Bool {
    let descriptor = connector.descriptor
    guard !descriptor.settings.contains(where: { $0.key == key && $0.isRequired }) else {
      return false
    }
    var settings = settings
    settings.entries[key] = nil
    return !connector.validate(settings).contains { $0.severity == .error }
  }
}
