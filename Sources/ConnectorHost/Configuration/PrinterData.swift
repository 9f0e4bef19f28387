/// The folder that Moonraker shows to all its clients.
enum PrinterData {
  /// Whether `path` lies in a `printer_data/config` (or `printer_2_data/config`, as KIAUH names further printers).
  static func holds(_ path: String) -> Bool {
    var folders: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = folders.popLast() } else { folders.append(part) }
    }
    return zip(folders, folders.dropFirst()).contains { data, config in
      data.hasPrefix("printer") && data.hasSuffix("_data") && config == "config"
    }
  }
}
