internal import ConnectorKit
internal import HTTPServer
internal import Moonraker
internal import Networking
internal import Platform
internal import YAML

/// Decodes a whole file.
struct ConfigurationDecoder {
  /// The connectors that the file may name.
  let registry: [any ConnectorBackend.Type]
  /// Where to look things up and put findings.
  let context: DecodingContext
  /// The file's path, as given.
  let file: String
  /// Why a secret should not stand in this file, or nil.
  let exposure: String?
  /// Names under which pairings are stored.
  let knownIdentities: [String]

  private var findings: FindingList { context.findings }
  private static let start = YAMLPosition(line: 1, column: 1)

  /// The configuration in `root`; nil where an error was found.
  func decode(_ root: YAMLNode) -> Configuration? {
    guard case .mapping(let members) = root.content else {
      findings.add(
        .error, "", at: root.position, "the file is not a mapping of keys",
        "write 'version: 1' and the sections printer and backends")
      return nil
    }
    guard isReadableVersion(members) else { return nil }
    let sections = HostSettings.sections.map(\.name)
    let nested = Set(sections + ["backends"])
    checkNames(members, nested: nested)
    var decoded: [String: DecodedMapping] = [:]
    for section in HostSettings.sections {
      decoded[section.name] = self.section(section, in: members)
    }
    let top = MappingDecoder(context: context).decode(
      members.filter { HostSettings.Top.keys.map(\.declaration.key).contains($0.key) },
      keys: HostSettings.Top.keys, path: "")
    check(top)
    checkPorts(decoded["control"] ?? DecodedMapping())
    checkTokenFile(decoded["control"] ?? DecodedMapping())
    checkPrinter(decoded["printer"] ?? DecodedMapping())
    checkNetwork(decoded["network"] ?? DecodedMapping())
    checkLog(decoded["log"] ?? DecodedMapping())
    let backends = self.backends(members, root: root)
    guard !findings.hasErrors else { return nil }
    return configuration(
      top: top.settings, sections: decoded.mapValues(\.settings), backends: backends)
  }

  // MARK: The top of the file

  /// A newer file is not read on: what it says may mean something else.
  private func isReadableVersion(_ members: [YAMLNode.Member]) -> Bool {
    guard let member = members.first(where: { $0.key == "version" }), !member.value.isNull else {
      findings.add(
        .error, "version", at: Self.start, "is missing",
        "write 'version: \(HostSettings.formatVersion)' at the top")
      return true
    }
    guard case .scalar(let text, isPlain: true) = member.value.content, let version = Int(text),
      version > HostSettings.formatVersion
    else { return true }
    findings.add(
      .error, "version", at: member.value.position,
      "this file's format is \(version), and this is printer-uplink \(Product.version), which reads format \(HostSettings.formatVersion)",
      "update printer-uplink, or start from the example of this version")
    return false
  }

  /// Unknown and duplicate keys at the top.
  private func checkNames(_ members: [YAMLNode.Member], nested: Set<String>) {
    let names =
      ["version", "printer", "state_directory", "control", "network", "log", "backends"]
    var lines: [String: Int] = [:]
    for member in members {
      if let line = lines[member.key] {
        findings.add(
          .error, member.key, at: member.keyPosition,
          "stands here a second time (first in line \(line))", "remove one of them")
      } else if !names.contains(member.key) {
        let nearest = NearestName.of(member.key, among: names)
        findings.add(
          .error, member.key, at: member.keyPosition, "is an unknown key",
          nearest.map { "did you mean \($0)?" }
            ?? "remove it, or write one of \(names.joined(separator: ", "))")
      }
      if lines[member.key] == nil { lines[member.key] = member.keyPosition.line }
    }
  }

  private func section(
    _ section: HostSettings.Section, in members: [YAMLNode.Member]
  ) -> DecodedMapping {
    guard let member = members.first(where: { $0.key == section.name }), !member.value.isNull
    else { return DecodedMapping() }
    guard case .mapping(let inner) = member.value.content else {
      let keys = section.keys.map(\.declaration.key).joined(separator: ", ")
      findings.add(
        .error, section.name, at: member.value.position, "must hold keys of its own",
        "write \(keys) below it, indented")
      return DecodedMapping()
    }
    let decoded = MappingDecoder(context: context).decode(
      inner, keys: section.keys, path: section.name)
    for key in decoded.literalSecrets {
      warnOfLiteral("\(section.name).\(key)", at: decoded.positions[key] ?? Self.start)
    }
    return decoded
  }

  private func check(_ top: DecodedMapping) {
    let setting = HostSettings.Top.stateDirectory
    let key = setting.declaration.key
    guard let folder = top.settings[setting] else { return }
    let position = top.positions[key] ?? Self.start
    if PrinterData.holds(folder) {
      findings.add(
        .error, key, at: position,
        "lies in printer_data/config, which every Moonraker client can read and write",
        "choose a folder outside, such as /var/lib/printer-uplink")
    }
  }

  // MARK: Sections

  private func checkTokenFile(_ control: DecodedMapping) {
    let setting = HostSettings.Control.tokenFile
    guard let file = control.settings[setting] else { return }
    guard PrinterData.isServed(file) || PrinterData.isServed(StateDirectory.resolved(file)) else {
      return
    }
    let key = setting.declaration.key
    findings.add(
      .error, "control.\(key)", at: control.positions[key] ?? Self.start,
      "lies in printer_data, where Moonraker hands it out to every client",
      "choose a folder outside, such as /var/lib/printer-uplink")
  }

  private func checkPorts(_ control: DecodedMapping) {
    var taken: [String: String] = [:]
    for setting in [
      HostSettings.Control.listen.declaration, HostSettings.Control.healthListen.declaration,
    ] {
      guard case .string(let text) = control.settings.entries[setting.key]?.value,
        let address = ListenAddress(text)?.address,
        let position = control.positions[setting.key]
      else { continue }
      let path = "control.\(setting.key)"
      if (7125...7130).contains(address.port) {
        findings.add(
          .warning, path, at: position, "port \(address.port) is one of Moonraker's (7125 to 7130)",
          "choose another, such as 7180")
      }
      guard address.port != 0 else { continue }
      let place = "\(address.host):\(address.port)"
      if let other = taken[place] {
        findings.add(
          .error, path, at: position, "is the same as control.\(other)", "choose another port")
      }
      taken[place] = setting.key
    }
  }

  private func checkPrinter(_ printer: DecodedMapping) {
    let key = HostSettings.Printer.moonrakerHTTP.declaration.key
    if printer.settings[HostSettings.Printer.moonrakerHTTP] != nil,
      !printer.settings[HostSettings.Printer.moonraker].hasPrefix("unix:")
    {
      findings.add(
        .warning, "printer.\(key)", at: printer.positions[key] ?? Self.start,
        "has an effect only with moonraker: unix:…", "remove it")
    }
  }

  private func checkNetwork(_ network: DecodedMapping) {
    guard let file = network.settings[HostSettings.Network.caFile] else { return }
    let key = HostSettings.Network.caFile.declaration.key
    let position = network.positions[key] ?? Self.start
    let limit = 4 << 20
    do {
      let bytes = try Files.read(file, limit: limit)
      if !String(decoding: bytes, as: UTF8.self).contains(text: "-----BEGIN ") {
        findings.add(
          .error, "network.\(key)", at: position, "the file \(file) holds no certificate in PEM",
          "name a file with '-----BEGIN CERTIFICATE-----'")
      }
    } catch {
      let problem = FileProblem(error, path: file, limit: limit)
      findings.add(.error, "network.\(key)", at: position, problem.problem, problem.remedy)
    }
  }

  private func checkLog(_ log: DecodedMapping) {
    guard let file = log.settings[HostSettings.Log.file] else { return }
    let key = HostSettings.Log.file.declaration.key
    let position = log.positions[key] ?? Self.start
    let folder = Files.folder(of: file)
    if (try? Files.information(file)?.kind) == .folder {
      findings.add(
        .error, "log.\(key)", at: position, "\(file) is a folder", "name a file in it")
    } else if (try? Files.information(folder)?.kind) != .folder {
      findings.add(
        .warning, "log.\(key)", at: position, "the folder \(folder) does not exist",
        "make it; until then only the console gets the log")
    }
  }

  // MARK: Backends

  private func backends(
    _ members: [YAMLNode.Member], root: YAMLNode
  ) -> [BackendConfiguration] {
    guard let member = members.first(where: { $0.key == "backends" }), !member.value.isNull else {
      let position = members.first { $0.key == "backends" }?.keyPosition ?? Self.start
      let type = registry.first?.descriptor.type ?? "…"
      findings.add(
        .error, "backends", at: position, "is missing: nothing would be connected",
        "write 'backends:' and below it '- type: \(type)'")
      return []
    }
    let backends = BackendsDecoder(
      registry: registry, context: context, noteLiteralSecret: warnOfLiteral
    ).decode(member.value)
    warnOfLostPairings(backends, at: member.keyPosition)
    return backends
  }

  private func warnOfLiteral(_ path: String, at position: YAMLPosition) {
    guard let exposure else { return }
    findings.add(
      .warning, path, at: position, "this secret stands in a file that \(exposure)",
      "write it into a file of mode 0600 and name that with \(path.split(separator: ".").last ?? "")_file"
    )
  }

  /// A pairing that no entry's name matches, beside an entry without one: probably renamed.
  private func warnOfLostPairings(_ backends: [BackendConfiguration], at position: YAMLPosition) {
    let names = Set(backends.map(\.name))
    guard backends.contains(where: { $0.isEnabled && !knownIdentities.contains($0.name) }) else {
      return
    }
    for lost in knownIdentities.sorted() where !names.contains(lost) {
      findings.add(
        .warning, "backends", at: position, "no entry has the name '\(lost)', which is paired",
        "if you renamed an entry, give it 'name: \(lost)' again, or it has to be paired anew")
    }
  }

  // MARK: The result

  private func configuration(
    top: Settings, sections: [String: Settings], backends: [BackendConfiguration]
  ) -> Configuration? {
    let printer = sections["printer"] ?? Settings()
    let control = sections["control"] ?? Settings()
    let network = sections["network"] ?? Settings()
    let log = sections["log"] ?? Settings()
    let moonraker = printer[HostSettings.Printer.moonraker]
    guard let address = HostAddress.moonraker(moonraker, context) else {
      findings.add(
        .error, "printer.moonraker", at: Self.start, "'\(moonraker)' is no address of Moonraker",
        "write http://host:7125 or unix:/path/to/moonraker.sock")
      return nil
    }
    return Configuration(
      path: file,
      printer: Configuration.PrinterSection(
        name: printer[HostSettings.Printer.name], moonraker: moonraker, address: address,
        moonrakerHTTP: printer[HostSettings.Printer.moonrakerHTTP],
        apiKey: printer[HostSettings.Printer.apiKey],
        requireClearBed: printer[HostSettings.Printer.requireClearBed]),
      stateDirectory: top[HostSettings.Top.stateDirectory],
      control: Configuration.ControlSection(
        listen: ListenAddress(control[HostSettings.Control.listen])?.address,
        healthListen: control[HostSettings.Control.healthListen].flatMap {
          ListenAddress($0)?.address
        },
        tokenFile: control[HostSettings.Control.tokenFile],
        pinPermissions: control[HostSettings.Control.pinPermissions],
        macros: Set(control[HostSettings.Control.macros].compactMap(MacroGrant.init)),
        announcesParked: control[HostSettings.Control.announceParked]),
      network: NetworkSettings(
        caFile: network[HostSettings.Network.caFile], proxy: network[HostSettings.Network.proxy]),
      log: Configuration.LogSection(
        level: LogLevel(rawValue: log[HostSettings.Log.level]) ?? .info,
        file: log[HostSettings.Log.file], maximumSizeMB: log[HostSettings.Log.maximumSize],
        backups: log[HostSettings.Log.backups]),
      backends: backends)
  }
}
