internal import Platform

extension StateDirectory {
  /// The system's place for the state of the daemon.
  private static let systemPlace = "/var/lib/printer-uplink"

  /// Where the state lives: as configured, else what systemd gives, else the system's place where it is
  /// writable, else the user's own.
  ///
  /// `/etc/printer-uplink/NAME.yaml` is the file of a template instance, whose place is the system's with `-NAME` at its
  /// end: what the service manager gives the daemon, a command finds by the file alone.
  ///
  /// - Parameters:
  ///   - configured: `state_directory` of the configuration file.
  ///   - environment: read are `STATE_DIRECTORY`, `XDG_STATE_HOME` and `HOME`.
  ///   - configurationPath: the configuration file, for the name of an instance.
  ///   - canUse: whether the folder at this path can be written, or made.
  /// - Throws: `StateFailure` where nothing of that exists.
  package static func location(
    configured: String?, environment: [String: String], configurationPath: String = "",
    canUse: (String) -> Bool = Self.canUse
  ) throws(StateFailure) -> String {
    let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 }
    if let configured {
      guard configured.hasPrefix("~/"), let home else { return configured }
      return home + configured.dropFirst()
    }
    // systemd separates several folders by colons; ours is the first.
    if let given = environment["STATE_DIRECTORY"]?.split(separator: ":").first {
      return String(given)
    }
    let suffix = instance(of: configurationPath).map { "-\($0)" } ?? ""
    let system = systemPlace + suffix
    if canUse(system) { return system }
    // A relative XDG path is invalid by its specification and to be ignored.
    if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
      return "\(withoutTrailingSlashes(state))/printer-uplink\(suffix)"
    }
    guard let home else {
      throw StateFailure(
        "no place for the state: \(system) is not writable and HOME is not set; set state_directory"
      )
    }
    return "\(withoutTrailingSlashes(home))/.local/state/printer-uplink\(suffix)"
  }

  /// The name of the template instance whose configuration file is at `path`; nil for any other file.
  static func instance(of path: String) -> String? {
    let places = [path, Files.realPath(path) ?? path]
    for path in places where Files.folder(of: path) == "/etc/printer-uplink" {
      let file = path.split(separator: "/").last.map(String.init) ?? ""
      guard let end = [".yaml", ".conf"].first(where: { file.hasSuffix($0) }) else { continue }
      let name = String(file.dropLast(end.count))
      return name.isEmpty || name == "printer-uplink" ? nil : name
    }
    return nil
  }

  /// Whether the folder at `path` can be written, or be made in a parent that exists.
  package static func canUse(_ path: String) -> Bool {
    guard (try? Files.information(path)) == nil else { return Files.isWritable(path) }
    return Files.isWritable(Files.folder(of: path))
  }

  /// Refuses a path in a Klipper configuration folder: Moonraker hands out all that lies there.
  static func refuseConfigurationFolder(_ path: String) throws(StateFailure) {
    let names = resolved(path).split(separator: "/")
    for (folder, name) in zip(names, names.dropFirst()) {
      // Several printers on one host: printer_1_data, printer_voron_data…
      guard name == "config", folder.hasPrefix("printer_"), folder.hasSuffix("data") else {
        continue
      }
      throw StateFailure(
        "the state directory \(path) lies in \(folder)/config, which every Moonraker client can read; "
          + "set state_directory to a folder outside of it", isConfiguration: true)
    }
  }

  /// `path` without links, as far as it exists.
  private static func resolved(_ path: String) -> String {
    var existing = path
    var rest = ""
    while true {
      if let real = Files.realPath(existing) { return real + rest }
      let parent = Files.folder(of: existing)
      guard parent != existing else { return path }
      rest =
        "/" + existing.dropFirst(parent == "/" ? 1 : parent == "." ? 0 : parent.count + 1) + rest
      existing = parent
    }
  }

  static func withoutTrailingSlashes(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }
}
