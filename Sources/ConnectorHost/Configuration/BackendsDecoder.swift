internal import ConnectorKit
internal import YAML

/// Decodes the entries of `backends`.
struct BackendsDecoder {
  /// The connectors that an entry may name.
  let registry: [any ConnectorBackend.Type]
  /// Where to look things up and put findings.
  let context: DecodingContext
  /// What is done where a secret's text stands in the file: its key path and place.
  var noteLiteralSecret: (_ path: String, _ position: YAMLPosition) -> Void

  /// The entries of the list `node`, those with errors left out.
  func decode(_ node: YAMLNode) -> [BackendConfiguration] {
    guard case .sequence(let items) = node.content else {
      context.findings.add(
        .error, "backends", at: node.position, "must be a list",
        "start each entry with '- type: …'")
      return []
    }
    if items.isEmpty {
      context.findings.add(
        .warning, "backends", at: node.position, "is empty: nothing would be connected",
        "add an entry: '- type: \(types.first ?? "…")'")
    }
    let counts = Dictionary(items.compactMap(Self.type).map { ($0, 1) }, uniquingKeysWith: +)
    var names: [String: Int] = [:]
    return items.enumerated().compactMap { index, item in
      entry(item, path: "backends[\(index)]", typeCounts: counts, names: &names)
    }
  }

  private var types: [String] { registry.map { $0.descriptor.type } }

  /// The type that an entry names, whether it is known or not.
  private static func type(of node: YAMLNode) -> String? {
    guard case .mapping(let members) = node.content,
      case .scalar(let type, _) = members.first(where: { $0.key == "type" })?.value.content
    else { return nil }
    return type
  }

  private func entry(
    _ node: YAMLNode, path: String, typeCounts: [String: Int], names: inout [String: Int]
  ) -> BackendConfiguration? {
    guard case .mapping(let members) = node.content else {
      context.findings.add(
        .error, path, at: node.position, "must be a mapping",
        "write 'type: …' and the connector's keys below it")
      return nil
    }
    guard let connector = connector(members, node: node, path: path) else { return nil }
    let descriptor = connector.descriptor
    let isWritten = !Self.says("enabled", "false", in: members)
    let isEnabled = context.overlay.isEnabled(
      Self.writtenName(in: members) ?? descriptor.type, written: isWritten)
    let isInsecure = Self.says("insecure", "true", in: members)
    var refused = descriptor.refusedKeys
    let keys = HostSettings.Entry.keys(of: descriptor)
    let decoder = MappingDecoder(
      context: context, isDisabled: !isEnabled, isInsecure: isInsecure, refusedKeys: refused)
    if !HostSettings.Entry.knowsInsecure(descriptor),
      let member = members.first(where: { $0.key == "insecure" })
    {
      context.findings.add(
        .error, "\(path).insecure", at: member.keyPosition,
        "\(descriptor.type) never speaks without TLS", "remove it")
      refused["insecure"] = ""
    }
    var decoded = decoder.decode(
      refused["insecure"] == nil ? members : members.filter { $0.key != "insecure" }, keys: keys,
      path: path)
    let position: (String) -> YAMLPosition = { decoded.positions[$0] ?? node.position }

    let name = name(decoded, type: descriptor.type, at: position("name"), path: path, &names)
    for key in decoded.literalSecrets { noteLiteralSecret("\(path).\(key)", position(key)) }
    if isEnabled {
      enter(context.overlay.secrets[name] ?? [:], of: descriptor, into: &decoded)
      applyEnvironment(
        of: descriptor, to: &decoded, isOnly: typeCounts[descriptor.type] == 1,
        isInsecure: isInsecure, path: path, at: node.position)
      require(descriptor, decoded, at: node.position, path: path)
      let own = ownSettings(descriptor, decoded.settings)
      for finding in connector.validate(own) {
        report(finding, decoded, of: node, path: path)
      }
    }
    warnOfNoEffect(decoded, of: descriptor, path: path, at: position)
    var entry = configuration(
      connector, name: name, isEnabled: isEnabled, decoded.settings, line: node.position.line)
    entry.isEnabledInFile = isWritten
    return entry
  }

  private func connector(
    _ members: [YAMLNode.Member], node: YAMLNode, path: String
  ) -> (any ConnectorBackend.Type)? {
    let all = types.joined(separator: ", ")
    guard let member = members.first(where: { $0.key == "type" }), !member.value.isNull else {
      context.findings.add(
        .error, "\(path).type", at: node.position, "is missing", "write one of \(all)")
      return nil
    }
    guard case .scalar(let type, _) = member.value.content else {
      context.findings.add(
        .error, "\(path).type", at: member.value.position, "must be one value",
        "write one of \(all)")
      return nil
    }
    if let connector = registry.first(where: { $0.descriptor.type == type }) { return connector }
    let key = ConfigurationKey(Setting.choice("type", default: "", of: types, ""))
    _ = ValueDecoder(
      context: context, isDisabled: false, isInsecure: false, key: key, path: "\(path).type"
    ).value(of: member)
    return nil
  }

  /// Whether the entry says `key: word` without quotes.
  private static func says(_ key: String, _ word: String, in members: [YAMLNode.Member]) -> Bool {
    if case .scalar(word, isPlain: true) = members.first(where: { $0.key == key })?.value.content {
      true
    } else {
      false
    }
  }

  /// The entry's name as it is written, before anything is checked.
  private static func writtenName(in members: [YAMLNode.Member]) -> String? {
    guard case .scalar(let name, _) = members.first(where: { $0.key == "name" })?.value.content
    else { return nil }
    return name.isEmpty ? nil : name
  }

  private func name(
    _ decoded: DecodedMapping, type: String, at position: YAMLPosition, path: String,
    _ names: inout [String: Int]
  ) -> String {
    let name = decoded.settings[HostSettings.Entry.name] ?? type
    guard !context.findings.hasError(at: "\(path).name") else { return name }
    if let line = names[name] {
      let isGiven = decoded.settings[HostSettings.Entry.name] != nil
      context.findings.add(
        .error, "\(path).name", at: position,
        "the name '\(name)' is taken by the entry in line \(line)",
        isGiven ? "choose another name" : "give this entry a name of its own: 'name: \(name)-2'")
    } else {
      names[name] = position.line
    }
    return name
  }

  // MARK: What only an enabled entry needs

  /// Puts in what persons have entered, where the file says nothing.
  private func enter(
    _ secrets: [String: Secret], of descriptor: ConnectorDescriptor,
    into decoded: inout DecodedMapping
  ) {
    for declaration in descriptor.settings where declaration.isSecret {
      guard let secret = secrets[declaration.key],
        decoded.settings.entries[declaration.key] == nil,
        decoded.positions[declaration.key] == nil
      else { continue }
      decoded.settings.entries[declaration.key] = .init(value: .secret(secret), origin: .entered)
    }
  }

  private func applyEnvironment(
    of descriptor: ConnectorDescriptor, to decoded: inout DecodedMapping, isOnly: Bool,
    isInsecure: Bool, path: String, at position: YAMLPosition
  ) {
    var filled: Set<String> = []
    for rule in descriptor.environment {
      guard let text = context.environment[rule.variable], !text.isEmpty,
        !filled.contains(rule.setting),
        let declaration = descriptor.settings.first(where: { $0.key == rule.setting })
      else { continue }
      if rule.precedence == .fillsAbsentKeyOfOnlyEntry {
        guard isOnly, decoded.positions[rule.setting] == nil else { continue }
      }
      let decoder = ValueDecoder(
        context: context, isDisabled: false, isInsecure: isInsecure,
        key: ConfigurationKey(declaration), path: "\(path).\(rule.setting)")
      let place = decoded.positions[rule.setting] ?? position
      guard let entry = decoder.value(text, ofVariable: rule.variable, at: place) else { continue }
      filled.insert(rule.setting)
      let isOverridden = decoded.settings.entries[rule.setting] != nil
      decoded.settings.entries[rule.setting] = entry
      context.findings.add(
        .note, "\(path).\(rule.setting)", at: place,
        "comes from the environment variable \(rule.variable)",
        isOverridden ? "unset it to use the value of the file" : "unset it to leave this key out")
    }
  }

  private func require(
    _ descriptor: ConnectorDescriptor, _ decoded: DecodedMapping, at position: YAMLPosition,
    path: String
  ) {
    for declaration in descriptor.settings where declaration.isRequired {
      let key = "\(path).\(declaration.key)"
      guard decoded.settings.entries[declaration.key] == nil,
        !context.findings.hasError(at: key), !context.findings.hasError(at: key + "_file")
      else { continue }
      let example = declaration.example.map { ": '\(declaration.key): \($0)'" } ?? ""
      context.findings.add(
        .error, key, at: decoded.positions[declaration.key] ?? position, "is missing",
        "write it\(example)")
    }
  }

  private func ownSettings(_ descriptor: ConnectorDescriptor, _ settings: Settings) -> Settings {
    let own = Set(descriptor.settings.map(\.key))
    return Settings(settings.entries.filter { own.contains($0.key) })
  }

  /// Places a connector's finding; one about a key that is wrong anyway would only confuse.
  private func report(
    _ finding: Finding, _ decoded: DecodedMapping, of node: YAMLNode, path: String
  ) {
    let key = finding.key.isEmpty ? path : "\(path).\(finding.key)"
    guard !context.findings.hasError(at: key), !context.findings.hasError(at: key + "_file") else {
      return
    }
    context.findings.add(
      finding.severity, key, at: decoded.positions[finding.key] ?? node.position, finding.problem,
      finding.remedy)
  }

  // MARK: The entry as a value

  private func warnOfNoEffect(
    _ decoded: DecodedMapping, of descriptor: ConnectorDescriptor, path: String,
    at position: (String) -> YAMLPosition
  ) {
    let granted = Self.permissions(decoded.settings).set
    let patterns = HostSettings.Entry.allowedGcodePatterns
    // Where they stand for the usual ones, they narrow what may be sent.
    let written = decoded.settings[patterns].filter { pattern in
      !descriptor.patternsReplaceUsual || !CommandPolicy.staysWithinUsual(pattern)
    }
    if !written.isEmpty && !granted.contains(.gcodeAny) {
      context.findings.add(
        .warning, "\(path).\(patterns.declaration.key)", at: position(patterns.declaration.key),
        descriptor.patternsReplaceUsual
          ? "\(written.joined(separator: ", ")) has no effect below permissions: full"
          : "has no effect below permissions: full",
        "remove it, or write permissions: full")
    }
    let macros = HostSettings.Entry.allowedMacros
    if !decoded.settings[macros].isEmpty && granted.isDisjoint(with: [.macro, .macroAny]) {
      context.findings.add(
        .warning, "\(path).\(macros.declaration.key)", at: position(macros.declaration.key),
        "has no effect without the permission macro", "remove it, or allow macro")
    }
  }

  private static func permissions(_ settings: Settings) -> (set: Set<Permission>, text: String) {
    let key = HostSettings.Entry.permissions.declaration.key
    switch settings.entries[key]?.value {
    case .list(let names):
      return (Set(names.compactMap(Permission.init(rawValue:))), names.joined(separator: ", "))
    case .string(let word):
      let level = PermissionLevel(rawValue: word) ?? .print
      return (level.permissions, level.rawValue)
    default: return (PermissionLevel.print.permissions, PermissionLevel.print.rawValue)
    }
  }

  private func configuration(
    _ connector: any ConnectorBackend.Type, name: String, isEnabled: Bool, _ settings: Settings,
    line: Int
  ) -> BackendConfiguration {
    let permissions = Self.permissions(settings)
    let level = HostSettings.Entry.logLevel
    let patterns = HostSettings.Entry.allowedGcodePatterns
    var entry = BackendConfiguration(
      connector: connector, name: name, isEnabled: isEnabled, permissions: permissions.set,
      permissionsText: permissions.text, allowedMacros: settings[HostSettings.Entry.allowedMacros],
      allowedGcodePatterns: settings[HostSettings.Entry.allowedGcodePatterns],
      maximumCommandAge: settings[HostSettings.Entry.maximumCommandAge],
      isInsecure: settings[HostSettings.Entry.insecure],
      logLevel: settings.entries[level.declaration.key] == nil
        ? nil : LogLevel(rawValue: settings[level]),
      settings: ownSettings(connector.descriptor, settings), line: line)
    entry.patternsReplaceUsual =
      connector.descriptor.patternsReplaceUsual && settings.origin(of: patterns) != .byDefault
    return entry
  }
}
