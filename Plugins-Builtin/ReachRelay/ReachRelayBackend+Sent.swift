internal import ConnectorKit

extension ReachRelayBackend {
  /// Every field that the relay is told, by message; a test compares it with what is sent.
  static let sent: [SentField] = claim + heartbeat + telemetry + commands + sideWork

  private static let claim = [
    SentField("claim", "pairingCode", "the one-time code"),
    SentField("claim", "agentVersion", "the version of the agent that it stands in for"),
    SentField("claim", "moonrakerUrl", "the address of Moonraker in the house"),
    SentField("claim", "printerIPAddress", "this host's address in the house"),
    SentField("claim", "hostname", "this host's name"),
  ]

  private static let heartbeat = [
    SentField("heartbeat", "printerId", "the relay's id of the printer"),
    SentField("heartbeat", "token", "what proves that it is this printer"),
    SentField("heartbeat", "timestamp", "the time"),
    SentField("heartbeat", "uptime", "how long this connector runs"),
    SentField("heartbeat", "version", "the version of the agent that it stands in for"),
    SentField("heartbeat", "printerIPAddress", "this host's address in the house"),
  ]

  private static let commands = [
    SentField("pull", "printerId", "the relay's id of the printer"),
    SentField("push", "printerId", "the relay's id of the printer"),
    SentField("push", "requestId", "the relay's id of the command"),
    SentField("push", "status", "whether it was done"),
    SentField("push", "result.*", "what Moonraker answers to it, or what went wrong"),
    SentField("push", "error", "what went wrong"),
  ]

  private static let sideWork = [
    SentField(
      "webcam", "image", "a picture of the camera, while somebody watches, or always if you say so"),
    SentField("firebase", "lastHeartbeat", "the time; only where Firebase is configured"),
    SentField("firebase", "state", "what the printer does"),
    SentField("firebase", "temperatureSensors.*", "nozzle, bed and chamber, with their targets"),
    SentField("firebase", "currentJob.*", "the job, as in telemetry"),
    SentField("firebase", "systemHealth.*", "load of this host: processor, memory, disk"),
  ]

  private static let telemetry = [
    SentField("telemetry", "printerId", "the relay's id of the printer"),
    SentField("telemetry", "token", "what proves that it is this printer"),
    SentField("telemetry", "timestamp", "the time"),
    SentField("telemetry", "temperatures.*", "nozzle, bed and chamber, with their targets"),
    SentField("telemetry", "fans.partCooling", "the speed of the part fan"),
    SentField("telemetry", "motion.*", "position, speed and the two factors"),
    SentField(
      "telemetry", "job.*", "the job: file name, state, progress, times, filament that was used"),
    SentField("telemetry", "systemHealth.*", "load of this host: processor, memory, disk"),
    SentField(
      "telemetry", "errors[].*",
      "what is wrong with the printer, in Klipper's words, and since when"),
    SentField(
      "telemetry", "logTail",
      "what your macros have said within 10 minutes; else empty: no log leaves the house"),
  ]
}
