package import ConnectorKit

extension ReachRelayBackend {
  package static let descriptor = ConnectorDescriptor(
    type: "reach", title: "the Reach relay",
    summary:
      "Shows the printer on the Reach 3D platform, and lets it control the printer within `permissions`.",
    settings: ReachRelaySettings.declarations + WebcamSettings.declarations
      + FirebaseSettings.declarations, reads: reads, commands: RelayCommand.declared,
    sends: sent,
    traffic:
      "0.45 MB an hour while printing, at the default intervals, both directions, without TLS and pictures.",
    minimalExample: """
      type: reach
      relay: https://relay.reach3d.com
      pairing_code: ABC123
      """,
    environment: ReachRelaySettings.environment + WebcamSettings.environment
      + FirebaseSettings.environment, originalAgent: agent,
    pairingKey: ReachRelaySettings.pairingCode.declaration.key,
    messages: "in the printer's log, for 10 minutes; at most the last 10", intention: intention)

  /// The platform's own agent.
  static let agent = ServiceAgent(
    program: "reach-link-agent.py",
    stopAdvice: "sudo systemctl disable --now reach-link "
      + "(or take its line out of crontab or /etc/rc.local)")

  /// Only what telemetry shows; the host's load comes without a subscription.
  private static let reads: StatusInterest = {
    let heater: StatusInterest.Fields = .named(["temperature", "target"])
    var objects: [String: StatusInterest.Fields] = [
      "extruder": heater,
      "heater_bed": heater,
      "heater_generic *": .named(["temperature"]),
      "temperature_sensor *": .named(["temperature"]),
      "temperature_fan *": .named(["temperature"]),
      "fan": .named(["speed"]),
      "gcode_move": .named(["speed", "speed_factor", "extrude_factor"]),
      "toolhead": .named(["position", "extruder"]),
      "print_stats": .named([
        "state", "filename", "message", "total_duration", "print_duration", "filament_used",
      ]),
      "virtual_sdcard": .named(["progress", "file_position"]),
      "display_status": .named(["progress"]),
      "webhooks": .named(["state", "state_message"]),
    ]
    for number in 1...9 { objects["extruder\(number)"] = heater }
    return StatusInterest(objects, wantsDiskUsage: true)
  }()

  private static func intention(_ settings: Settings) -> String {
    let relay = settings[ReachRelaySettings.relay] ?? ""
    let host = RelayAddress(origin: relay)?.host ?? relay
    let pairing =
      settings[ReachRelaySettings.token] != nil
      ? "with the configured token"
      : settings[ReachRelaySettings.pairingCode] != nil
        ? "after pairing with the configured code" : "with the stored pairing"
    let database = FirebaseRules(settings).map { ", and to Firebase at \($0.address.host)" } ?? ""
    let pictures = WebcamRules(settings).mode == .always ? ", with pictures all the time" : ""
    return "report to \(host) \(pairing)\(database)\(pictures)"
  }
}
