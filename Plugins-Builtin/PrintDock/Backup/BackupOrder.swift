internal import ConnectorKit
internal import JSON

/// The parameters of `create_backup`. Pure.
struct BackupOrder: Sendable, Hashable {
  /// The folders that a backup may hold, in the order of the archive.
  static let folders = ["config", "database", "gcodes", "logs"]

  /// PrintDock's name for the backup.
  var id: String
  /// Where the archive goes; never logged.
  var address: Secret
  /// The folder that PrintDock takes for the printer's data; nil where it names none.
  var root: String?
  /// Which of ``folders`` it wants.
  var included: [String]

  init(_ parameters: CommandParameters) throws(CommandParameters.Defect) {
    id = try parameters.text("backup_id")
    address = Secret(try parameters.text("presigned_url"))
    guard Self.isName(id) else {
      throw CommandParameters.Defect(problem: "invalid params.backup_id")
    }
    root = try parameters.value("printer_data_root")?.string.flatMap { $0.isEmpty ? nil : $0 }
    let include = try parameters.value("include")
    included = Self.folders.filter { include?[$0]?.bool == true }
    guard !included.isEmpty else {
      throw CommandParameters.Defect(
        problem: "failed to create backup: no directories selected for backup")
    }
  }

  /// `[A-Za-z0-9._-]{1,128}`, not beginning with a dot.
  private static func isName(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count) && !text.hasPrefix(".")
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) && byte >= 0x41
          || (0x2D...0x2E).contains(byte) || (0x30...0x39).contains(byte)
          || byte == UInt8(ascii: "_")
      }
  }
}
