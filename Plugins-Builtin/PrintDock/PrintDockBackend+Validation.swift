package import ConnectorKit
internal import Networking

extension PrintDockBackend {
  /// A token, or what an earlier pairing yielded, or neither where the state directory holds it; never both.
  package static func validate(_ settings: Settings) -> [Finding] {
    let token = settings[PrintDockSettings.pairingToken]
    let id = settings[PrintDockSettings.connectorID]
    let secret = settings[PrintDockSettings.connectorSecret]
    let printer = settings[PrintDockSettings.printerID]
    var findings: [Finding] = []

    if let token, !HTTPField.canCarry(token.revealed) {
      findings.append(
        Finding(
          .error, key: "pairing_token", "the token is empty or holds a blank or a line break",
          remedy: "copy it again from PrintDock, on one line"))
    }
    if let secret, !HTTPField.canCarry(secret.revealed) {
      findings.append(
        Finding(
          .error, key: "connector_secret", "the secret is empty or holds a blank or a line break",
          remedy: "copy it again, on one line"))
    }
    if let id, !HTTPField.canCarry(id) {
      findings.append(
        Finding(
          .error, key: "connector_id", "the number is empty or holds a blank or a line break",
          remedy: "copy it again from the earlier pairing"))
    }

    switch (token != nil, id != nil, secret != nil) {
    case (true, false, false), (false, true, true): break
    case (true, _, _):
      findings.append(
        Finding(
          .error, key: "pairing_token",
          "a token to pair with stands beside the credentials of an earlier pairing",
          remedy: "remove pairing_token, or connector_id and connector_secret"))
    case (false, true, false):
      findings.append(
        Finding(
          .error, key: "connector_id", "connector_secret is missing beside it",
          remedy: "add connector_secret, or pair anew with pairing_token"))
    case (false, false, true):
      findings.append(
        Finding(
          .error, key: "connector_secret", "connector_id is missing beside it",
          remedy: "add connector_id, or pair anew with pairing_token"))
    case (false, false, false):
      findings.append(
        Finding(
          .note, key: "pairing_token", "no credentials stand here: an earlier pairing is used",
          remedy: "if there was none yet, add pairing_token with a token from PrintDock"))
    }
    if id != nil && secret != nil && printer == 0 {
      findings.append(
        Finding(
          .error, key: "printer_id", "PrintDock's number of this printer is missing",
          remedy: "add the printer_id of the earlier pairing, or pair anew with pairing_token"))
    }
    if id == nil && printer != 0 {
      findings.append(
        Finding(
          .warning, key: "printer_id", "it counts only beside connector_id",
          remedy: "remove it: pairing tells the number"))
    }
    return findings
  }

  /// One line on what `run` would do.
  static func intention(_ settings: Settings) -> String {
    let cloud = settings[PrintDockSettings.cloudURL]
    let heartbeat = settings[PrintDockSettings.heartbeat].components.seconds
    let snapshots = settings[PrintDockSettings.pushSnapshots].components.seconds
    let commands = settings[PrintDockSettings.pollCommands].components.seconds
    let webcam = settings[PrintDockSettings.webcamPoll].components.seconds
    let identity =
      if settings[PrintDockSettings.pairingToken] != nil {
        "pair with \(cloud) unless this token has been spent, then report"
      } else if let id = settings[PrintDockSettings.connectorID] {
        "report to \(cloud) as connector \(id)"
      } else {
        "report to \(cloud) with the credentials of an earlier pairing"
      }
    return "\(identity): a heartbeat each \(heartbeat) s, a snapshot each \(snapshots) s and at "
      + "each change of the print's state; ask for commands each \(commands) s"
      + (webcam == 0 ? "" : " and, where there is a camera, for pictures each \(webcam) s")
  }
}
