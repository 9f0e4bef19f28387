internal import Platform

/// Where a configuration file is looked for when none is named.
struct ConfigurationPlaces {
  /// The paths in order: the owner's own, then the system's.
  let paths: [String]

  init(environment: [String: String]) {
    var folders = ["/etc/printer-uplink"]
    if let home = environment["HOME"], home.hasPrefix("/") {
      folders.insert((home == "/" ? "" : home) + "/printer_data/config", at: 0)
    }
    // Fluidd's editor opens .conf and not .yaml.
    paths = folders.flatMap { folder in
      ["yaml", "conf"].map { "\(folder)/printer-uplink.\($0)" }
    }
  }

  /// Where a new file goes: into the first of the folders that is there.
  var new: String {
    paths.first { path in
      path.hasSuffix(".yaml") && (try? Files.information(Files.folder(of: path))) ?? nil != nil
    } ?? paths.last { $0.hasSuffix(".yaml") } ?? ""
  }

  /// What must not stand anywhere where a new file goes to `path`: the file itself, and those that would then no longer count,
  /// or would hide it.
  ///
  /// - Parameter isNamed: whether a person has chosen the path; then only what stands in its own folder is in its way.
  func rivals(of path: String, isNamed: Bool) -> [String] {
    guard isNamed else { return paths }
    guard paths.contains(path) else { return [path] }
    return [path] + paths.filter { $0 != path && Files.folder(of: $0) == Files.folder(of: path) }
  }

  /// The first path at which something stands.
  var first: String? {
    paths.first { path in
      // What may not be looked at may stand there: reading it tells.
      do { return try Files.information(path) != nil } catch { return true }
    }
  }
}
