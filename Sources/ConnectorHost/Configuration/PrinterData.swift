internal import Platform

/// The folder that Moonraker shows to all its clients.
enum PrinterData {
  /// Whether `path` lies in a `printer_data/config` (or `printer_2_data/config`, as KIAUH names further printers).
  static func holds(_ path: String) -> Bool { depth(of: parts(of: path), in: ["config"]) != nil }

  /// Whether `path` lies where Moonraker hands files out to all its clients.
  static func isServed(_ path: String) -> Bool {
    let roots: Set<Substring> = ["config", "gcodes", "logs", "docs", "config_examples"]
    return depth(of: parts(of: path), in: roots) != nil
  }

  /// The `printer_data` whose `config` the file at `path` lies in, or what it links to; nil where it lies elsewhere.
  static func folder(of path: String) -> String? {
    for place in [path, Files.realPath(path) ?? path] where place.hasPrefix("/") {
      let parts = parts(of: place)
      if let depth = depth(of: parts, in: ["config"]) {
        return "/" + parts.prefix(depth + 1).joined(separator: "/")
      }
    }
    return nil
  }

  private static func parts(of path: String) -> [Substring] {
    var folders: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = folders.popLast() } else { folders.append(part) }
    }
    return folders
  }

  private static func depth(of folders: [Substring], in roots: Set<Substring>) -> Int? {
    zip(folders, folders.dropFirst()).enumerated().first { _, pair in
      pair.0.hasPrefix("printer") && pair.0.hasSuffix("_data") && roots.contains(pair.1)
    }?.offset
  }
}
