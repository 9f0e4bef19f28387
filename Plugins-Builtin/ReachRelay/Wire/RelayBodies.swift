internal import ConnectorKit
internal import JSON
internal import Platform

/// The bodies of the calls that do not carry the printer's status.
enum RelayBodies {
  /// The claim of a pairing code.
  static func claim(
    code: Secret, agentVersion: String, moonrakerAddress: String, localAddress: String
  ) -> JSONObject {
    [
      "pairingCode": .string(code.revealed), "agentVersion": .string(agentVersion),
      "moonrakerUrl": .string(moonrakerAddress), "printerIPAddress": .string(localAddress),
      "hostname": .string(HostInformation.hostName),
    ]
  }

  /// The question for a command.
  static func pull(printerID: String) -> JSONObject { ["printerId": .string(printerID)] }

  /// A command's result.
  static func push(printerID: String, _ result: JSONObject) -> JSONObject {
    var body: JSONObject = ["printerId": .string(printerID)]
    for (key, value) in result { body[key] = value }
    return body
  }

  /// A heartbeat; `uptime` counts whole seconds.
  static func heartbeat(
    printerID: String, token: Secret, at now: WallTime, uptime: Duration, agentVersion: String,
    localAddress: String
  ) -> JSONObject {
    [
      "printerId": .string(printerID), "token": .string(token.revealed),
      "timestamp": .integer(now.millisecondsSinceEpoch),
      "uptime": .integer(max(0, uptime.components.seconds)), "version": .string(agentVersion),
      "printerIPAddress": .string(localAddress),
    ]
  }
}
