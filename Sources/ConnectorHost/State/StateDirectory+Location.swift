internal import Platform

extension StateDirectory {
  /// The system's place for the state of the daemon.
  private static let systemPlace = "/var/lib/printer-uplink"
  /// Where the package's services have their configuration.
  private static let systemConfigurations = "/etc/printer-uplink"

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
    let chosen = try wished(
      configured: configured, environment: environment, configurationPath: configurationPath,
      canUse: canUse)
    guard !configurationPath.isEmpty,
      let usual = try? usual(environment: environment, configurationPath: configurationPath)
    else { return chosen }
    // Not the file alone decides where its state lies, once what it allows is pinned.
    let identity = ConfigurationFile.identity(of: configurationPath)
    return PinnedPlaces.place(of: identity, in: usual) ?? chosen
  }

  /// Where it would live if the file named no place; the system's place only where it is there already.
  static func usual(
    environment: [String: String], configurationPath: String
  ) throws(StateFailure) -> String {
    try wished(
      configured: nil, environment: environment, configurationPath: configurationPath,
      canUse: { path in ((try? Files.information(path)) ?? nil) != nil && Files.isWritable(path) })
  }

  /// ``location(configured:environment:configurationPath:canUse:)`` by what the file says alone.
  static func wished(
    configured: String?, environment: [String: String], configurationPath: String,
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
    // A relative XDG path is invalid by its specification and to be ignored.
    let states = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let own = (states ?? home.map { "\(withoutTrailingSlashes($0))/.local/state" }).map {
      "\(withoutTrailingSlashes($0))/printer-uplink\(suffix)"
    }
    let isMade = ((try? Files.information(system)) ?? nil) != nil
    // A folder that has been in use counts before one that could be made: root could make the system's for everybody.
    if let own, !isMade, ((try? Files.information("\(own)/daemon.lock")) ?? nil) != nil {
      return own
    }
    if canUse(system) { return system }
    guard let own else {
      throw StateFailure(
        "no place for the state: \(system) is not writable and HOME is not set; set state_directory"
      )
    }
    return own
  }

  /// Whether the file at `path`, or what it links to, is one of the package's services.
  static func isSystemConfiguration(_ path: String) -> Bool {
    [path, Files.realPath(path) ?? path].contains { Files.folder(of: $0) == systemConfigurations }
  }

  /// The name of the template instance whose configuration file is at `path`; nil for any other file.
  static func instance(of path: String) -> String? {
    let places = [path, Files.realPath(path) ?? path]
    for path in places where Files.folder(of: path) == systemConfigurations {
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
  static func resolved(_ path: String) -> String {
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
