internal import ConnectorKit
internal import Cryptography

/// How a start goes on, from what is configured and what is stored. Pure.
enum PairingDecision: Equatable {
  /// Go on as this printer.
  case paired(ReachIdentity)
  /// Pair with this code first.
  case claim(Secret)
  /// There is nothing to go on with.
  case unpaired

  /// A stored token wins over the configured one that it replaced; any other configured token is
  /// news from the owner and wins over the stored one. The same goes for pairing codes.
  init(_ configuration: ReachConfiguration, stored: ReachIdentity?) {
    if let token = configuration.token, let printerID = configuration.printerID {
      let hash = Self.hash(token)
      if var stored, stored.configuredTokenHash == hash {
        stored.printerID = printerID
        self = .paired(stored)
      } else {
        var identity = ReachIdentity(token: token, printerID: printerID)
        identity.configuredTokenHash = hash
        self = .paired(identity)
      }
    } else if let code = configuration.pairingCode,
      stored.map({ $0.pairingCodeHash != Self.hash(code) }) ?? true
    {
      self = .claim(code)
    } else if let stored {
      self = .paired(stored)
    } else {
      self = .unpaired
    }
  }

  /// By what a secret is recognised without being kept.
  static func hash(_ secret: Secret) -> String { Digest.sha256Hex(Array(secret.revealed.utf8)) }
}
