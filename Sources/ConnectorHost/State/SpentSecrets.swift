internal import ConnectorKit
internal import Platform

/// What happens to one-time secrets once they are spent: out of the file where they stand there literally, else
/// remembered, so that the owner is told that they may be deleted.
///
/// Safe from any thread.
final class SpentSecrets: Sendable {
  private struct State {
    /// The configuration file as it was loaded, or as we left it.
    var fingerprint: String
    /// What the running backends have spent, by name: that it left the file is no change.
    var keys: [String: Set<String>] = [:]
  }

  private let state: Guarded<State>
  /// Locked while it edits: one edit of the file at a time, on threads for blocking work only.
  private let remover: Guarded<SpentSecretRemover>
  private let memory: RetiredSecrets
  private let entered: OverlayStore?
  private let log: Log
  private let onEdit = Guarded<(@Sendable () -> Void)?>(nil)

  /// - Parameters:
  ///   - fingerprint: of the configuration file as it was loaded.
  ///   - entered: what persons have entered: a spent one is forgotten there.
  init(
    remover: SpentSecretRemover, memory: RetiredSecrets, entered: OverlayStore? = nil,
    fingerprint: String, log: Log
  ) {
    self.entered = entered
    self.remover = Guarded(remover)
    self.memory = memory
    self.log = log
    state = Guarded(State(fingerprint: fingerprint))
  }

  /// The configuration file as it was loaded, or as we left it.
  var fingerprint: String { state.withLock { $0.fingerprint } }

  /// Calls `body` after each edit of ours, on a thread for blocking work.
  func edited(_ body: @escaping @Sendable () -> Void) { onEdit.withLock { $0 = body } }

  /// The file was loaded anew.
  func loaded(fingerprint: String) { state.withLock { $0.fingerprint = fingerprint } }

  /// The keys that the running backend of this name has spent.
  func keys(spentBy name: String) -> Set<String> { state.withLock { $0.keys[name] ?? [] } }

  /// The secret under `key` of `entry` has been spent.
  func retire(_ key: String, of entry: BackendConfiguration) async {
    guard let value = entry.settings.entries[key], case .secret(let secret) = value.value else {
      return
    }
    state.withLock { _ = $0.keys[entry.name, default: []].insert(key) }
    // What is thrown here is nothing: the work itself does not throw.
    _ = try? await offload { [self] in
      remover.withLock { edit(key, of: entry, secret, origin: value.origin, with: $0) }
    }
  }

  private func edit(
    _ key: String, of entry: BackendConfiguration, _ secret: Secret, origin: SettingOrigin,
    with remover: SpentSecretRemover
  ) {
    if case .entered = origin {
      entered?.forget(key, of: entry.name)
      return
    }
    let outcome: SpentSecretRemover.Outcome
    if case .file(_, _, isLiteral: true) = origin {
      outcome = remover.remove(key, of: entry.name, loaded: fingerprint)
    } else {
      outcome = .kept(reason: "it comes from \(origin)")
    }
    switch outcome {
    case .removed(let line, let fingerprint):
      loaded(fingerprint: fingerprint)
      onEdit.withLock { $0 }?()
      log(.info, "\(entry.name): \(key) is spent; line \(line) was removed from \(remover.path)")
    case .kept(let reason):
      guard !memory.contains(secret, key: key) else { return }
      memory.add(secret, key: key)
      log(.info, "\(entry.name): \(key) is spent and may be deleted; not removed: \(reason)")
    }
  }

  /// What the owner should know of the entry's secrets.
  func notes(on entry: BackendConfiguration) -> [String] {
    entry.settings.entries.sorted { $0.key < $1.key }.compactMap { key, value in
      guard case .secret(let secret) = value.value, memory.contains(secret, key: key) else {
        return nil
      }
      return "\(key) (\(value.origin)) is spent and may be deleted"
    }
  }
}
