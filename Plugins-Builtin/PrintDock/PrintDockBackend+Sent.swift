internal import ConnectorKit

extension PrintDockBackend {
  /// Every field that PrintDock is told, by message; a test compares it with what is sent.
  static let sent: [SentField] = register + heartbeat + snapshot + completion + picture + backup

  private static let register = [
    SentField("register", "pairing_token", "the one-time token"),
    SentField("register", "site_name", "the name of the place, where it is set"),
    SentField("register", "device.hostname", "this host's name"),
    SentField("register", "device.arch", "this host's processor"),
    SentField("register", "device.os", "linux"),
    SentField("register", "device.version", "the version of printer-uplink"),
    SentField("register", "device.ip", "this host's first IPv4 address"),
    SentField("register", "device.ui_port", "the port of the web interface"),
    SentField("register", "printers[].name", "the printer's name"),
    SentField("register", "printers[].ui_port", "the port of the web interface"),
  ]

  private static let heartbeat = [
    SentField("heartbeat", "status.uptime_seconds", "how long this connector runs"),
    SentField("heartbeat", "status.version", "the version of printer-uplink"),
    SentField("heartbeat", "printers[].printer_id", "PrintDock's number of the printer"),
    SentField("heartbeat", "printers[].reachable", "whether the printer answers"),
  ]

  private static let snapshot: [SentField] = {
    let status = "snapshots[].payload.result.status"
    return [
      SentField("snapshot", "snapshots[].printer_id", "PrintDock's number of the printer"),
      SentField("snapshot", "snapshots[].captured_at", "when the values were read"),
      SentField("snapshot", "snapshots[].payload.result.eventtime", "Klipper's clock"),
      SentField(
        "snapshot", "\(status).print_stats.*",
        "the job: file name, state, message, times, filament, layers"),
      SentField(
        "snapshot", "\(status).virtual_sdcard.*",
        "the printed file: path on the printer's host (unless hidden), progress, position, size"),
      SentField(
        "snapshot", "\(status).extruder.*", "the extruder: temperature, target, power, settings"),
      SentField("snapshot", "\(status).heater_bed.*", "the bed: temperature, target, power"),
      SentField(
        "snapshot", "\(status).toolhead.*", "the toolhead: position, homed axes, limits, times"),
      SentField("snapshot", "\(status).pause_resume.*", "whether the job is paused"),
    ]
  }()

  private static let completion = [
    SentField("completion", "status", "whether a command succeeded"),
    SentField("completion", "error_message", "why it failed"),
    SentField("completion", "result.action", "what the command was"),
    SentField("completion", "result.printer_id", "a printer's number that is not ours"),
    SentField("completion", "result.filename", "the file that it was about"),
    SentField("completion", "result.axes", "the axes that were homed"),
    SentField("completion", "result.size", "the size of an uploaded file"),
    SentField("completion", "result.files[].*", "every G-code file: path, time, size, permissions"),
    SentField("completion", "result.history.*", "past jobs as Moonraker has them, with metadata"),
    SentField("completion", "result.count", "how many files or jobs"),
    SentField("completion", "result.truncated", "that a list was too long to be sent"),
    SentField("completion", "result.backup_id", "PrintDock's name of the backup"),
    SentField("completion", "result.size_bytes", "the size of the backup"),
    SentField("completion", "result.sha256", "the checksum of the backup"),
    SentField("completion", "result.uploaded_at", "when the backup was sent"),
    SentField("completion", "result.post_snapshot", "that the printer was at hand for a snapshot"),
    SentField("completion", "result.post_snapshot_error", "why it was not"),
  ]

  /// As the strict test cloud counts it.
  static let traffic =
    "0.9 MB an hour while printing, at the default intervals, both directions, without TLS and without a camera; "
    + "a camera that Moonraker lists adds as much again, and every picture its own size."

  private static let picture = [
    SentField("webcam", "image", "a picture of the camera, when PrintDock asks for one")
  ]

  private static let backup = [
    SentField(
      "backup", "archive",
      "the printer's configuration files, to PrintDock's storage, when PrintDock asks for them and "
        + "`permissions` holds `backup`")
  ]
}
