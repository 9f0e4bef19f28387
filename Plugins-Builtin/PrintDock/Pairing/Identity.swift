internal import ConnectorKit
internal import JSON

/// What pairing yields: who we are at PrintDock.
struct Identity: Sendable, Hashable {
  /// The connector's id, as text.
  var connectorID: String
  /// The connector's secret.
  var secret: Secret
  /// PrintDock's number of the printer.
  var printerID: Int64
  /// How often to fetch commands, where PrintDock said so.
  var commandsSeconds: Int64?
  /// How often to send snapshots, where PrintDock said so.
  var snapshotsSeconds: Int64?
  /// The SHA-256 of the token that was spent; nil where the credentials came from the configuration.
  var tokenDigest: String?
}

extension Identity {
  /// The identity that was stored; nil when something is missing.
  init?(stored: JSONObject) {
    guard
      let id = stored["connector_id"]?.string, !id.isEmpty,
      let secret = stored["connector_secret"]?.string, !secret.isEmpty,
      let printer = stored["printer_id"]?.integer, printer > 0
    else { return nil }
    self.init(
      connectorID: id, secret: Secret(secret), printerID: printer,
      commandsSeconds: stored["commands_seconds"]?.integer,
      snapshotsSeconds: stored["snapshots_seconds"]?.integer,
      tokenDigest: stored["token_sha256"]?.string)
  }

  /// The identity as it is stored.
  var stored: JSONObject {
    var object: JSONObject = [
      "connector_id": .string(connectorID), "connector_secret": .string(secret.revealed),
      "printer_id": .integer(printerID),
    ]
    object["commands_seconds"] = commandsSeconds.map { .integer($0) }
    object["snapshots_seconds"] = snapshotsSeconds.map { .integer($0) }
    object["token_sha256"] = tokenDigest.map { .string($0) }
    return object
  }
}
