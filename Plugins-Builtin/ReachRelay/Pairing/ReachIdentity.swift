internal import ConnectorKit
internal import JSON
internal import Networking

/// Who this printer is for its relay: what pairing and rotation yielded.
struct ReachIdentity: Sendable, Hashable {
  /// The bearer token.
  var token: Secret
  /// The token before this one, until the relay has accepted this one: a crash in between must leave both.
  var previousToken: Secret?
  /// The relay's id of the printer.
  var printerID: String
  /// The relay's id of the owner; kept, never sent.
  var userID: String?
  /// The origin to which the relay sent us when pairing.
  var movedTo: String?
  /// The configured origin from which it sent us there.
  var movedFrom: String?
  /// SHA-256 of the configured token that this one replaced; nil when it came by pairing.
  var configuredTokenHash: String?
  /// SHA-256 of the pairing code that yielded it; nil when it came with a configured token.
  var pairingCodeHash: String?

  init(token: Secret, printerID: String) {
    self.token = token
    self.printerID = printerID
  }

  /// Reads what ``json`` wrote; nil when token or printer are missing.
  init?(_ json: JSONObject) {
    guard let token = json["token"]?.string, HTTPField.canCarry(token),
      let printerID = json["printer_id"]?.string, !printerID.isEmpty
    else { return nil }
    self.init(token: Secret(token), printerID: printerID)
    if let previous = json["previous_token"]?.string, HTTPField.canCarry(previous) {
      previousToken = Secret(previous)
    }
    userID = json["user_id"]?.string
    movedTo = json["moved_to"]?.string
    movedFrom = json["moved_from"]?.string
    configuredTokenHash = json["configured_token_sha256"]?.string
    pairingCodeHash = json["pairing_code_sha256"]?.string
  }

  /// The form in which it is stored.
  var json: JSONObject {
    var json: JSONObject = ["token": .string(token.revealed), "printer_id": .string(printerID)]
    json["previous_token"] = previousToken.map { .string($0.revealed) }
    json["user_id"] = userID.map(JSONValue.string)
    json["moved_to"] = movedTo.map(JSONValue.string)
    json["moved_from"] = movedFrom.map(JSONValue.string)
    json["configured_token_sha256"] = configuredTokenHash.map(JSONValue.string)
    json["pairing_code_sha256"] = pairingCodeHash.map(JSONValue.string)
    return json
  }

  /// The same printer with the token that the relay gave it in exchange for `accepted`, to which there is a way back.
  func rotated(to token: Secret, from accepted: Secret) -> ReachIdentity {
    var identity = self
    identity.token = token
    identity.previousToken = accepted
    return identity
  }

  /// The same printer with this token, and no way back to another.
  func using(_ token: Secret) -> ReachIdentity {
    var identity = self
    identity.token = token
    identity.previousToken = nil
    return identity
  }

  /// Where this printer's relay is. What the configuration names wins over an address of another
  /// host, but for a move that is allowed and began at what it names.
  func relay(_ configuration: ReachConfiguration) -> RelayAddress {
    let configured = configuration.relay
    guard let movedTo, let moved = RelayAddress(origin: movedTo), movedFrom == configured.origin,
      moved.host == configured.host || configuration.allowRelayMove
    else { return configured }
    return moved
  }
}
