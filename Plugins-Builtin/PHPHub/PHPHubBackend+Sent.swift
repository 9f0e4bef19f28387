internal import ConnectorKit

extension PHPHubBackend {
  /// Every field that the hub is told, by message; a test compares it with what is sent.
  static let sent: [SentField] = [
    SentField("update", "action", "what the hub is to do with it"),
    SentField("update", "token", "what proves that it is this printer"),
    SentField("update", "name", "the printer's name"),
    SentField("update", "client_version", "the version of printer-uplink"),
    SentField("update", "uptime", "how long this connector runs"),
    SentField("update", "timestamp", "the time"),
    SentField("update", "status", "what the printer does"),
    SentField("update", "temp_hotend", "the nozzle's temperature"),
    SentField("update", "temp_bed", "the bed's temperature"),
    SentField("update", "temp_hotend_target", "the nozzle's target"),
    SentField("update", "temp_bed_target", "the bed's target"),
    SentField("update", "print_speed", "the speed factor"),
    SentField("update", "fan_speed", "the speed of the part fan"),
    SentField("update", "progress", "how far the print is"),
    SentField("update", "current_file", "the name of the file that is printed"),
    SentField("update", "time_remaining", "how long the print still takes"),
    SentField(
      "update", "last_completed", "the name of the last completed print, and when it ended"),
    SentField("update", "system.*", "load of this host: processor, memory, temperature"),
    SentField("update", "files[].*", "the newest 50 G-code files: names, sizes, times"),
    SentField("update", "tags[]", "your tags"),
    SentField("update", "filament.*", "the filament as you have described it"),
    SentField("update", "bed_status", "the state of the bed as you have described it"),
    SentField("update", "location", "where the printer is, as you have described it"),
    SentField("update", "image", "the picture of the camera, or its address at the hub"),
    SentField("update", "command_results[].*", "what became of the last commands"),
    SentField("commands", "token", "what proves that it is this printer, in the address"),
    SentField("image", "token", "what proves that it is this printer"),
    SentField("image", "image", "a picture of the camera"),
    SentField("files", "printer_token", "what proves that it is this printer, in the address"),
    SentField("files", "file", "the hub's name of a file that is fetched, or was"),
  ]
}
