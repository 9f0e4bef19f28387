internal import ConnectorKit

/// A `reach` entry as the rest of the connector uses it.
struct ReachConfiguration: Sendable {
  var relay: RelayAddress
  var token: Secret?
  var printerID: String?
  var pairingCode: Secret?
  var printerIP: String?
  var heartbeatInterval: Duration
  var telemetryInterval: Duration
  var telemetryIdleInterval: Duration
  var agentVersion: String
  var allowRelayMove: Bool
  var pinnedPublicKey: String?
  var chamber: String?
  var reportsErrors: Bool
  var webcam: WebcamRules
  /// nil: Firebase is not used.
  var firebase: FirebaseRules?

  /// Reads decoded settings.
  ///
  /// - Throws: `BackendFailure` (park) where no relay can be made out.
  init(_ settings: Settings) throws(BackendFailure) {
    guard let url = settings[ReachRelaySettings.relay], let relay = RelayAddress(origin: url) else {
      throw BackendFailure(
        .park, "relay is missing or no https address",
        remedy: "set relay to the address that the dashboard names")
    }
    self.relay = relay
    token = settings[ReachRelaySettings.token]
    printerID = settings[ReachRelaySettings.printerID]
    pairingCode = settings[ReachRelaySettings.pairingCode]
    printerIP = settings[ReachRelaySettings.printerIP]
    heartbeatInterval = settings[ReachRelaySettings.heartbeatInterval]
    telemetryInterval = settings[ReachRelaySettings.telemetryInterval]
    let idle = settings[ReachRelaySettings.telemetryIdleInterval]
    let isExplicit = settings.origin(of: ReachRelaySettings.telemetryInterval) != .byDefault
    telemetryIdleInterval = isExplicit ? min(idle, telemetryInterval) : idle
    agentVersion = settings[ReachRelaySettings.agentVersion]
    allowRelayMove = settings[ReachRelaySettings.allowRelayMove]
    pinnedPublicKey = settings[ReachRelaySettings.pinnedPublicKey]
    chamber = settings[ReachRelaySettings.chamber]
    reportsErrors = settings[ReachRelaySettings.errors]
    webcam = WebcamRules(settings)
    firebase = FirebaseRules(settings)
  }
}
