/// The folder that Moonraker shows to all its clients.
enum PrinterData {
  /// Whether `path` lies in a `printer_data/config` (or `printer_2_data/config`, as KIAUH names further printers).
  static func holds(_ path: String) -> Bool { lies(path, in: ["config"]) }

  /// Whether `path` lies where Moonraker hands files out to all its clients.
  static func isServed(_ path: String) -> Bool {
    lies(path, in: ["config", "gcodes", "logs", "docs", "config_examples"])
  }

  private static func lies(_ path: String, in roots: Set<Substring>) -> Bool {
    var folders: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = folders.popLast() } else { folders.append(part) }
    }
    return zip(folders, folders.dropFirst()).contains { data, root in
      data.hasPrefix("printer") && data.hasSuffix("_data") && roots.contains(root)
    }
  }
}
