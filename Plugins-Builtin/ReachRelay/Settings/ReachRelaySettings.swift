internal import ConnectorKit

/// The settings of a `reach` entry, each declared once.
enum ReachRelaySettings {
  static let relay = Setting<String?>.optionalURL(
    "relay", example: "https://relay.reach3d.com", isRequired: true, tls: .required,
    "The relay's address as the dashboard names it: https, without a path.")

  static let pairingCode = Setting<Secret?>.secret(
    "pairing_code", example: "ABC123", maximumLength: 64,
    "The one-time code of the dashboard's wizard; spent with the first start.")

  static let token = Setting<Secret?>.secret(
    "token", "The relay's token for this printer, where there is one already; needs `printer_id`.")

  static let printerID = Setting<String?>.optionalString(
    "printer_id", example: "printer-001", "The relay's id of this printer; pairing yields it too.")

  static let printerIP = Setting<String?>.optionalString(
    "printer_ip", example: "192.168.1.20", maximumLength: 45,
    "The printer's address in the local network; found out where it is left out.")

  static let heartbeatInterval = Setting<Duration>.duration(
    "heartbeat_interval", default: 30, range: intervals,
    "The time between heartbeats until the relay asks for another.")

  static let telemetryInterval = Setting<Duration>.duration(
    "telemetry_interval", default: 10, range: intervals,
    "The time between reports while the printer prints or heats.")

  static let telemetryIdleInterval = Setting<Duration>.duration(
    "telemetry_idle_interval", default: 30, range: intervals,
    "The time between reports otherwise; never more than a `telemetry_interval` that is written down."
  )

  static let agentVersion = Setting<String>.string(
    "agent_version", default: "1.0.12", maximumLength: 32,
    "The version of the original agent that the relay is told.")

  static let allowRelayMove = Setting<Bool>.boolean(
    "allow_relay_move", default: false,
    "Whether the relay may send this printer to another host when it pairs.")

  static let pinnedPublicKey = Setting<String?>.optionalString(
    "pinned_public_key", example: "sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=",
    "The relay's public key; a relay with any other key is not spoken to.")

  static let chamber = Setting<String?>.optionalString(
    "chamber", example: "temperature_sensor enclosure",
    "Klipper's object with the chamber's temperature; one named `chamber` is found without it.")

  static let errors = Setting<Bool>.boolean(
    "errors", default: true, "Whether Klipper's error messages are reported.")

  /// All of them, in the order in which they are shown.
  static let declarations = [
    relay.declaration, pairingCode.declaration, token.declaration, printerID.declaration,
    printerIP.declaration, heartbeatInterval.declaration, telemetryInterval.declaration,
    telemetryIdleInterval.declaration, chamber.declaration, errors.declaration,
    agentVersion.declaration, allowRelayMove.declaration, pinnedPublicKey.declaration,
  ]

  /// The original agent's variables; it is configured by nothing else.
  static let environment = [
    rule("REACH_LINK_RELAY", relay), rule("REACH_LINK_TOKEN", token),
    rule("REACH_LINK_PRINTER_ID", printerID), rule("REACH_PRINTER_ID", printerID),
    rule("REACH_LINK_PAIRING_CODE", pairingCode), rule("REACH_LINK_PRINTER_IP", printerIP),
    rule("REACH_LINK_HEARTBEAT_INTERVAL", heartbeatInterval),
    rule("REACH_LINK_TELEMETRY_INTERVAL", telemetryInterval),
  ]

  private static let intervals: ClosedRange<Duration> = .seconds(1) ... .seconds(3_600)

  private static func rule<Value>(_ variable: String, _ setting: Setting<Value>) -> EnvironmentRule
  {
    EnvironmentRule(
      variable, setting: setting.declaration.key, .fillsAbsentKeyOfOnlyEntry)
  }
}
