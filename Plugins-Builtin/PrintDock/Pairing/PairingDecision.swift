internal import ConnectorKit
internal import Cryptography

/// What to do about pairing, from what the configuration says and what is stored. Pure.
enum PairingDecision: Sendable, Hashable {
  /// Report with this identity; `spentToken` when the configuration still holds the token that yielded it.
  case use(Identity, spentToken: Bool)
  /// Pair with this token.
  case pair(Secret)
  /// Nothing to go on with.
  case missing

  /// - Parameters:
  ///   - settings: the backend's settings.
  ///   - stored: what an earlier pairing yielded.
  init(settings: Settings, stored: Identity?) {
    if let token = settings[PrintDockSettings.pairingToken] {
      if let stored, stored.tokenDigest == Self.digest(of: token) {
        self = .use(stored, spentToken: true)
      } else {
        // Another token than the one that was spent: the owner wants to pair (again).
        self = .pair(token)
      }
      return
    }
    if let id = settings[PrintDockSettings.connectorID],
      let secret = settings[PrintDockSettings.connectorSecret]
    {
      var identity = Identity(
        connectorID: id, secret: secret,
        printerID: Int64(settings[PrintDockSettings.printerID]))
      if let stored, stored.connectorID == id {
        identity.snapshotsSeconds = stored.snapshotsSeconds
        identity.commandsSeconds = stored.commandsSeconds
      }
      self = .use(identity, spentToken: false)
      return
    }
    self = stored.map { .use($0, spentToken: false) } ?? .missing
  }

  /// What is remembered of a token that was spent.
  static func digest(of token: Secret) -> String { Digest.sha256Hex(Array(token.revealed.utf8)) }
}
