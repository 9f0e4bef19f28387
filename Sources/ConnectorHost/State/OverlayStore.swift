internal import ConnectorKit
internal import JSON
internal import Platform

/// What persons have set beside the file, kept in `overlay.json`, 0600. Safe from any thread.
final class OverlayStore: Sendable {
  private static let fileName = "overlay.json"
  private let file: StateFile
  private let kept: Guarded<ConfigurationOverlay>
  private let writing = Guarded(())

  /// Reads what was kept. Blocks.
  init(directory: StateDirectory, log: Log) {
    file = StateFile(directory: directory, name: Self.fileName)
    do {
      kept = Guarded(Self.overlay(try file.read() ?? [:]))
    } catch {
      kept = Guarded(ConfigurationOverlay())
      log(
        .error, "\(error); what was switched on or off, and what was entered, is as the file says")
    }
  }

  /// What is kept in the state directory at `folder`, as a command sees it that opens nothing; nothing where it cannot be
  /// read. Blocks.
  static func peek(_ folder: String) -> ConfigurationOverlay {
    let limits = JSONLimits(bytes: 1 << 20, depth: 32)
    guard let bytes = try? Files.read("\(folder)/\(fileName)", limit: limits.bytes),
      let document = (try? JSONValue(parsing: bytes, limits: limits))?.object
    else { return ConfigurationOverlay() }
    return overlay(document)
  }

  /// What counts now.
  var current: ConfigurationOverlay { kept.withLock { $0 } }

  /// Takes `overlay`; on return it is on the disk. Blocks.
  ///
  /// - Throws: `PlatformError`; nothing has changed then.
  func keep(_ overlay: ConfigurationOverlay) throws(PlatformError) {
    let result: Result<Void, PlatformError> = writing.withLock { _ in
      do throws(PlatformError) {
        try file.write(Self.document(overlay))
      } catch {
        return .failure(error)
      }
      kept.withLock { $0 = overlay }
      return .success(())
    }
    try result.get()
  }

  /// Forgets a secret that has been spent. Blocks.
  func forget(_ key: String, of name: String) {
    var overlay = current
    overlay.secrets[name]?[key] = nil
    if overlay.secrets[name]?.isEmpty == true { overlay.secrets[name] = nil }
    // Where the disk does not take it, it is spent all the same, and refused should it be tried again.
    try? keep(overlay)
  }

  private static func overlay(_ document: JSONObject) -> ConfigurationOverlay {
    var overlay = ConfigurationOverlay()
    for (name, entry) in document["entries"]?.object ?? [:] {
      if let isEnabled = entry["enabled"]?.bool, let fileSaid = entry["file_said"]?.bool {
        overlay.switches[name] = .init(isEnabled: isEnabled, fileSaid: fileSaid)
      }
      for (key, value) in entry["secrets"]?.object ?? [:] {
        guard let text = value.string else { continue }
        overlay.secrets[name, default: [:]][key] = Secret(text)
      }
    }
    return overlay
  }

  private static func document(_ overlay: ConfigurationOverlay) -> JSONObject {
    var entries = JSONObject()
    for name in Set(overlay.switches.keys).union(overlay.secrets.keys).sorted() {
      var entry = JSONObject()
      if let chosen = overlay.switches[name] {
        entry["enabled"] = .bool(chosen.isEnabled)
        entry["file_said"] = .bool(chosen.fileSaid)
      }
      var secrets = JSONObject()
      for (key, secret) in (overlay.secrets[name] ?? [:]).sorted(by: { $0.key < $1.key }) {
        secrets[key] = .string(secret.revealed)
      }
      if !secrets.isEmpty { entry["secrets"] = .object(secrets) }
      entries[name] = .object(entry)
    }
    return ["entries": .object(entries)]
  }
}
