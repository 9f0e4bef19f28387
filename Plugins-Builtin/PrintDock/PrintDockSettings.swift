internal import ConnectorKit

/// Every setting of the connector, declared once.
enum PrintDockSettings {
  static let cloudURL = Setting<String>.url(
    "cloud_url", default: "https://www.spoolr.io",
    "Address of the PrintDock cloud; a path is kept in front of all calls.")

  static let pairingToken = Setting<Secret?>.secret(
    "pairing_token", example: "${file:/etc/printer-uplink/printdock.token}",
    "One-time token from PrintDock; spent by pairing and then removed from this file.")

  static let connectorID = Setting<String?>.optionalString(
    "connector_id", example: "46",
    "Connector number of an earlier pairing; together with connector_secret and printer_id.")

  static let connectorSecret = Setting<Secret?>.secret(
    "connector_secret", example: "${file:/etc/printer-uplink/printdock.secret}",
    "Secret of an earlier pairing; together with connector_id and printer_id.")

  static let printerID = Setting<Int>.integer(
    "printer_id", default: 0, range: 0...Int(Int32.max),
    "PrintDock's number of this printer; needed with connector_id, otherwise 0: pairing tells it.")

  static let siteName = Setting<String?>.optionalString(
    "site_name", example: "Workshop", "Name of the place, told to PrintDock at pairing.")

  static let uiPort = Setting<Int>.integer(
    "ui_port", default: 80, range: 1...65_535,
    "Port of the printer's web interface, told to PrintDock at pairing and used for its camera.")

  static let pollCommands = Setting<Duration>.duration(
    "poll_commands_seconds", default: 3, range: .seconds(1)...(.seconds(3_600)),
    "Time between two questions for commands; what PrintDock says at pairing counts unless it "
      + "stands here.")

  static let pushSnapshots = Setting<Duration>.duration(
    "push_snapshots_seconds", default: 30, range: .seconds(1)...(.seconds(3_600)),
    "Time between two snapshots; what PrintDock says at pairing counts unless it stands here.")

  static let heartbeat = Setting<Duration>.duration(
    "heartbeat_seconds", default: 10, range: .seconds(1)...(.seconds(50)),
    "Time between two heartbeats; PrintDock calls a printer offline after 60 s without one.")

  static let webcamPoll = Setting<Duration>.duration(
    "webcam_poll_seconds", default: 2, range: .zero...(.seconds(3_600)),
    "Time between two questions for camera pictures; asked while Moonraker lists a camera, and "
      + "always when it stands here; 0: never.")

  static let maximumAnswer = Setting<Int>.integer(
    "max_answer_mb", default: 64, range: 1...256, unit: "MB",
    "The largest answer with commands; it bounds the size of uploaded files (a third less).")

  static let printerDataRoot = Setting<String?>.optionalPath(
    "printer_data_root", example: "/home/pi/printer_data",
    "Folder whose `config` goes into backups; by default this user's ~/printer_data.")

  static let backupConfFiles = Setting<Bool>.boolean(
    "backup_conf_files", default: false,
    "Whether backups hold `.conf` files (moonraker.conf) beside the `.cfg` files.")

  static let hideFilePath = Setting<Bool>.boolean(
    "hide_file_path", default: false,
    "Whether snapshots leave out where the printed file lies on this host.")

  /// In the order in which they are shown.
  static let all: [SettingDeclaration] = [
    cloudURL.declaration, pairingToken.declaration, connectorID.declaration,
    connectorSecret.declaration, printerID.declaration, siteName.declaration, uiPort.declaration,
    pollCommands.declaration, pushSnapshots.declaration, heartbeat.declaration,
    webcamPoll.declaration, maximumAnswer.declaration, printerDataRoot.declaration,
    backupConfFiles.declaration, hideFilePath.declaration,
  ]

  /// Keys of the original connector's `config.json` that belong to the host.
  static let refused: [String: String] = [
    "moonraker": "write the address as `moonraker` under `printer`; its `ui_port` goes here",
    "state_dir": "write `state_directory` at the top of the file",
  ]
}
