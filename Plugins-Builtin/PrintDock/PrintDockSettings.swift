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
    "Port of the printer's web interface, told to PrintDock at pairing.")

  static let pushSnapshots = Setting<Duration>.duration(
    "push_snapshots_seconds", default: 30, range: .seconds(1)...(.seconds(3_600)),
    "Time between two snapshots; what PrintDock says at pairing counts unless it stands here.")

  static let heartbeat = Setting<Duration>.duration(
    "heartbeat_seconds", default: 10, range: .seconds(1)...(.seconds(50)),
    "Time between two heartbeats; PrintDock calls a printer offline after 60 s without one.")

  static let hideFilePath = Setting<Bool>.boolean(
    "hide_file_path", default: false,
    "Whether snapshots leave out where the printed file lies on this host.")

  /// In the order in which they are shown.
  static let all: [SettingDeclaration] = [
    cloudURL.declaration, pairingToken.declaration, connectorID.declaration,
    connectorSecret.declaration, printerID.declaration, siteName.declaration, uiPort.declaration,
    pushSnapshots.declaration, heartbeat.declaration, hideFilePath.declaration,
  ]

  /// Keys of the original connector's `config.json` and of features that are not here yet.
  static let refused: [String: String] = [
    "moonraker": "write the address as `moonraker` under `printer`; its `ui_port` goes here",
    "state_dir": "write `state_directory` at the top of the file",
    "poll_commands_seconds": "remove it: this version reports only and fetches no commands",
    "webcam_poll_seconds": "remove it: this version sends no webcam images",
    "max_answer_mb": "remove it: this version fetches nothing large",
    "printer_data_root": "remove it: this version makes no backups",
    "backup_conf_files": "remove it: this version makes no backups",
  ]
}
