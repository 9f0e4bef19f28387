internal import ConnectorKit
internal import JSON
internal import Platform

/// `printer-uplink import FILE`: makes an entry from the configuration of a service's own agent, so that nobody pairs again.
struct ImportCommand {
  /// Why it ends early.
  private struct Failure: Error {
    var status: Int32
    var lines: [String]
    init(_ problem: String, status: Int32 = 1) {
      self.status = status
      lines = ["\(Product.name): \(problem)"]
    }
    init(_ findings: [LocatedFinding], _ problem: String) {
      status = CommandLineProgram.configurationStatus
      lines = findings.filter { $0.finding.severity == .error }.map(\.description)
      lines.append("\(Product.name): \(problem)")
    }
  }
  private static let limit = 1 << 20

  /// The same loader as `run`.
  let loader: ConfigurationLoader
  /// Where to write.
  let terminal: Terminal
  /// Whether to append the entry to the file, rather than print it.
  let writes: Bool
  /// Where processes are seen.
  var processes = "/proc"

  /// Imports `file` for the daemon of the configuration at `path`.
  ///
  /// - Returns: 0, 1 (not done) or 78 (the configuration is not usable).
  func run(_ file: String, configuration path: String) async -> Int32 {
    do {
      try await importFile(file, path)
      return 0
    } catch let failure as Failure {
      for line in failure.lines { terminal.complain(line) }
      return failure.status
    } catch {
      terminal.complain("\(Product.name): \(error)")
      return 1
    }
  }

  private func importFile(_ file: String, _ path: String) async throws {
    let (type, original) = try DaemonRights.steward(of: file) { try read(file) }
    let rights = try DaemonRights(for: path, loader: loader, .acting)
    defer { rights.giveBack() }
    let loader = rights.loader
    var entry = original
    let text = try Files.read(path, limit: Self.limit)
    let before = try Files.information(path)
    let loaded = loader.load(text, from: path)
    guard let configuration = loaded.configuration else {
      throw Failure(loaded.findings, "\(path) has mistakes; correct them first")
    }
    let (directory, lock) = try open(configuration, loader)
    defer { withExtendedLifetime(lock) {} }
    let name = try await name(for: entry, type, configuration, directory)
    let running = RunningProgram.processes(named: entry.program, in: processes)
    let secrets = SecretFiles(entry.secrets, of: name, in: directory)
    entry.settings += secrets.settings
    let lines = Self.lines(of: entry, type: type, name: name, isEnabled: running.isEmpty)
    var remarks = remarks(entry, name, configuration, running)
    try secrets.write()
    var edited: [UInt8]?
    do {
      if writes { edited = try edit(text, path, lines, entry.hostSettings, &remarks) }
    } catch {
      secrets.remove()
      throw error
    }
    try await FileIdentityStore(directory: directory, name: name).save(entry.identity)
    if let edited {
      guard let before, try Files.information(path)?.fingerprint == before.fingerprint else {
        throw Failure("\(path) is being changed; try again")
      }
      try rights.owning(path) {
        try Files.replace(
          path, with: edited, mode: before.mode, owner: before.owner, group: before.group)
      }
      terminal.say("\(path): entry '\(name)' added; its pairing lies in \(directory.path)")
    } else {
      for (number, line) in lines.enumerated() {
        terminal.say("  \(number == 0 ? "- " : "  ")\(line)")
      }
      terminal.complain(
        "Put this under 'backends' of \(path); its pairing lies in \(directory.path) already.")
      for (key, value) in entry.hostSettings {
        switch ConfigurationText.adding(key, Self.yaml(value), to: text) {
        case .present: remarks.insert(Self.stays(key, value), at: 0)
        case .added, .impossible: remarks.insert(Self.request(key, value), at: 0)
        }
      }
    }
    for remark in remarks { terminal.complain(remark.onOneLine) }
  }

  // MARK: - The original's file

  private func read(_ file: String) throws -> (String, ImportedEntry) {
    let bytes = try Files.read(file, limit: Self.limit)
    for connector in registry {
      do {
        let companion = companion(of: bytes, connector, beside: file)
        guard let entry = try connector.importing(bytes, with: companion) else { continue }
        return (connector.descriptor.type, entry)
      } catch {
        throw Failure("\(file): \(error.problem); \(error.remedy)")
      }
    }
    throw Failure("\(file) is not the configuration of an agent that is known here")
  }

  /// The content of the file that belongs to the one that was named; nil where there is none, or it cannot be read.
  private func companion(
    of bytes: [UInt8], _ connector: any ConnectorBackend.Type, beside file: String
  ) -> [UInt8]? {
    guard let name = connector.companion(of: bytes) else { return nil }
    let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    return try? Files.read(name.hasPrefix("/") ? name : folder + name, limit: Self.limit)
  }

  private var registry: [any ConnectorBackend.Type] { loader.registry }

  // MARK: - The state

  private func open(
    _ configuration: Configuration, _ loader: ConfigurationLoader
  ) throws -> (StateDirectory, InstanceLock) {
    do throws(StateFailure) {
      let place = try StateDirectory.location(
        configured: configuration.stateDirectory, environment: loader.environment,
        configurationPath: configuration.path)
      let directory = try StateDirectory(opening: place, configurationPath: configuration.path)
      return (directory, try directory.lock())
    } catch {
      throw Failure(
        error.description,
        status: error.isConfiguration ? CommandLineProgram.configurationStatus : 1)
    }
  }

  /// A name that no other entry and no other pairing has.
  private func name(
    for entry: ImportedEntry, _ type: String, _ configuration: Configuration,
    _ directory: StateDirectory
  ) async throws -> String {
    func stored(_ name: String) async throws -> JSONObject? {
      try await FileIdentityStore(directory: directory, name: name).load()
    }
    for present in configuration.backends where present.connector.descriptor.type == type {
      guard try await stored(present.name) != entry.identity else {
        throw Failure("this pairing is the one of entry '\(present.name)' already: nothing to do")
      }
    }
    let taken = Set(configuration.backends.map(\.name))
    for number in 1...100 {
      let name = number == 1 ? type : "\(type)-\(number)"
      guard !taken.contains(name) else { continue }
      let identity = try await stored(name)
      if identity == nil || identity == entry.identity { return name }
    }
    throw Failure("all names up to '\(type)-100' are taken; remove entries that nobody needs")
  }

  // MARK: - The entry

  private static func lines(
    of entry: ImportedEntry, type: String, name: String, isEnabled: Bool
  ) -> [String] {
    var lines = ["type: \(type)"]
    if name != type { lines.append("name: \(name)") }
    if !isEnabled {
      lines.append("# \(entry.program) still runs here: stop it, then remove the next line")
      lines.append("enabled: false")
    }
    return lines + Self.lines(of: entry.settings)
  }

  /// The settings, nested ones below their section.
  private static func lines(of settings: [(key: String, value: JSONValue)]) -> [String] {
    var lines: [String] = []
    var sections: Set<String> = []
    for (key, value) in settings {
      guard let dot = key.firstIndex(of: ".") else {
        lines.append("\(key): \(yaml(value))")
        continue
      }
      let section = String(key[..<dot])
      guard sections.insert(section).inserted else { continue }
      let inner = settings.filter { $0.key.hasPrefix("\(section).") }.map { setting in
        (key: String(setting.key.dropFirst(section.count + 1)), value: setting.value)
      }
      lines.append("\(section):")
      lines += Self.lines(of: inner).map { "  \($0)" }
    }
    return lines
  }

  /// JSON's spelling of text and numbers is YAML's as well.
  private static func yaml(_ value: JSONValue) -> String {
    String(decoding: value.serialized(), as: UTF8.self)
  }

  private static func stays(_ key: String, _ value: JSONValue) -> String {
    "\(key) is in the file already and stays as it is; the agent had \(yaml(value))"
  }

  private static func request(_ key: String, _ value: JSONValue) -> String {
    let parts = key.split(separator: ".", maxSplits: 1)
    return "Put '\(parts.last ?? ""): \(yaml(value))' under '\(parts.first ?? "")' too."
  }

  private func edit(
    _ text: [UInt8], _ path: String, _ lines: [String],
    _ hostSettings: [(key: String, value: JSONValue)], _ remarks: inout [String]
  ) throws -> [UInt8] {
    guard var edited = ConfigurationText.appending(entry: lines, to: text) else {
      throw Failure(
        "\(path) does not write 'backends' as a list of lines; import without --write, and put the entry in"
      )
    }
    for (key, value) in hostSettings {
      switch ConfigurationText.adding(key, Self.yaml(value), to: edited) {
      case .added(let text): edited = text
      case .present: remarks.insert(Self.stays(key, value), at: 0)
      case .impossible: remarks.insert(Self.request(key, value), at: 0)
      }
    }
    let loaded = loader.load(edited, from: path)
    guard loaded.configuration != nil else {
      throw Failure(
        loaded.findings, "the entry would not be accepted in \(path); nothing was written")
    }
    return edited
  }

  private func remarks(
    _ entry: ImportedEntry, _ name: String, _ configuration: Configuration, _ running: [Int]
  ) -> [String] {
    var remarks = entry.notes
    if let moonraker = entry.moonraker, !Self.isSame(moonraker, configuration.printer.moonraker) {
      remarks.append(
        "It was connected to \(moonraker); printer.moonraker is \(configuration.printer.moonraker): is that the same printer?"
      )
    }
    if running.isEmpty {
      remarks.append(
        "\(entry.program) does not run here now; see to it that it never does again: \(entry.stopAdvice)"
      )
    } else {
      let list = running.map { "\($0)" }.joined(separator: ", ")
      remarks.append(
        "\(entry.program) still runs here (process \(list)), and two with one pairing run every command twice: the entry is disabled."
      )
      remarks.append("Stop it: \(entry.stopAdvice); then remove 'enabled: false'.")
    }
    return remarks
  }

  private static func isSame(_ left: String, _ right: String) -> Bool {
    func trimmed(_ text: String) -> String {
      let text = StateDirectory.withoutTrailingSlashes(text)
      return text.replacing(text: "localhost", with: "127.0.0.1")
    }
    return trimmed(left) == trimmed(right)
  }
}
