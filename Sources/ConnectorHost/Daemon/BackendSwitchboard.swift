internal import ConnectorKit
internal import Platform

/// What a person does to single backends of the running daemon: on, off, paired, forgotten. The file stays as it is.
struct BackendSwitchboard: Sendable {
  /// So long a reload may take that somebody waits for.
  private static let reloadPatience = Duration.seconds(10)
  /// So long a pairing is watched.
  private static let pairingPatience = Duration.seconds(20)
  private static let glance = Duration.milliseconds(200)

  let parts: RunningDaemon
  let supervision: Supervision
  let signals: SignalWatch

  /// Switches an entry.
  ///
  /// - Parameter isByMacro: whether a macro of the printer's asks: it can take back what a macro has done, no more.
  func setEnabled(
    _ isOn: Bool, _ name: String, by person: String, isByMacro: Bool = false
  ) async -> ControlResult {
    guard let entry = entry(name) else { return unknown(name) }
    let isOffByMacro = parts.overlay.current.isOffByMacro(name, written: entry.isEnabledInFile)
    // What a macro has switched off, a person may want to stay so.
    let isConfirmed = isOffByMacro && !isOn && !isByMacro
    guard entry.isEnabled != isOn || isConfirmed else {
      return .done("'\(name)' is \(isOn ? "on" : "off") already.")
    }
    var change = EntryChange(name: name, turnsOff: !isOn) { overlay, entry in
      overlay.set(name, isEnabled: isOn, written: entry.isEnabledInFile, isByMacro: isByMacro)
    }
    change.isByMacro = isByMacro
    if isByMacro { change.refusal = { Self.macroRefusal(isOn, name, $0, $1) } }
    if let failure = await take(change) { return failure }
    parts.services.note(
      "\(name) was switched \(isOn ? "on" : "off") by \(person)", as: isOn ? "enable" : "disable")
    let beside = entry.isEnabledInFile == isOn ? "" : ", whatever the file says, until it is edited"
    return .done("'\(name)' is switched \(isOn ? "on" : "off")\(beside).")
  }

  func reload(only file: String?, by person: String) async -> ControlResult {
    let accepting = file.map(Acceptance.file) ?? .anything
    let result = await ask { .reloadFor(person: person, accepting: accepting, done: $0) }
    if case .done = result {
      parts.services.note("the configuration was read again by \(person)", as: "reload")
    }
    return result
  }

  func pair(_ name: String, code: Secret, by person: String) async -> ControlResult {
    guard let entry = entry(name) else { return unknown(name) }
    let descriptor = entry.connector.descriptor
    guard let key = descriptor.pairingKey else {
      return .refused("'\(name)' is of type \(descriptor.type), which is not paired by a code.")
    }
    if let value = entry.settings.entries[key], value.origin != .entered {
      return .refused(
        "\(key) of '\(name)' comes from \(parts.options.configurationPath) (\(value.origin)) and wins: change it there."
      )
    }
    if let failure = await take(
      EntryChange(name: name, turnsOff: false) { overlay, entry in
        overlay.secrets[name, default: [:]][key] = code
        if !entry.isEnabled {
          overlay.set(name, isEnabled: true, written: entry.isEnabledInFile)
        }
      })
    {
      return failure
    }
    parts.services.note("\(name) was given a code to pair with by \(person)", as: "pair")
    // The same code once more changes no setting; a parked backend is to try it all the same.
    supervision.start(name)
    return await outcome(of: name)
  }

  func unpair(_ name: String, by person: String) async -> ControlResult {
    guard let entry = entry(name) else { return unknown(name) }
    if let failure = await take(
      EntryChange(name: name, turnsOff: true) { overlay, entry in
        overlay.secrets[name] = nil
        overlay.set(name, isEnabled: false, written: entry.isEnabledInFile)
      })
    {
      return failure
    }
    let hasEnded: Void? = await bounded(by: Self.reloadPatience, time: parts.time) {
      [supervision] in
      await supervision.settled(name)
    }
    guard hasEnded != nil else {
      return .failed(
        "'\(name)' is switched off, but does not end: restart \(Product.name), then unpair.")
    }
    do {
      try await FileIdentityStore(directory: parts.directory, name: name).remove()
      try await offload { [directory = parts.directory] in
        try SecretFiles.remove(of: name, in: directory)
        try BackendFiles(directory: directory, name: name).remove()
      }
    } catch {
      return .failed("'\(name)' is switched off, but its pairing cannot be removed: \(error)")
    }
    parts.services.note("\(name) was unpaired by \(person)", as: "unpair")
    let remaining = remaining(of: entry)
    let title = entry.connector.descriptor.title
    guard remaining.isEmpty else {
      return .done(
        "'\(name)' is switched off, and what it had stored of its pairing is gone; but \(remaining.joined(separator: " and ")): remove that, or it is paired again when it is switched on. Remove the printer at \(title) as well."
      )
    }
    return .done(
      "'\(name)' has forgotten its pairing and is switched off; remove the printer at \(title) as well."
    )
  }

  // MARK: - How

  /// Why a macro does not switch the entry: on comes only what one has switched off, and what a person has switched off stays
  /// that person's.
  private static func macroRefusal(
    _ isOn: Bool, _ name: String, _ overlay: ConfigurationOverlay, _ entry: BackendConfiguration
  ) -> String? {
    if isOn, !overlay.isOffByMacro(name, written: entry.isEnabledInFile) {
      return "'\(name)' was not switched off by a macro, so only a person switches it on."
    }
    return entry.isEnabled == isOn ? "'\(name)' is \(isOn ? "on" : "off") already." : nil
  }

  private func entry(_ name: String) -> BackendConfiguration? {
    parts.configuration.backends.first { $0.name == name }
  }

  private func unknown(_ name: String) -> ControlResult {
    let names = parts.configuration.backends.map(\.name)
    let remedy =
      NearestName.of(name, among: names).map { "did you mean '\($0)'?" }
      ?? "there are \(names.isEmpty ? "none" : names.joined(separator: ", "))."
    return .refused("No entry is called '\(name)'; \(remedy)")
  }

  /// Where secrets of the entry stand that are not ours to remove.
  private func remaining(of entry: BackendConfiguration) -> [String] {
    let own = SecretFiles.folder(in: parts.directory)
    return entry.settings.entries.sorted { $0.key < $1.key }.compactMap { key, value in
      guard case .secret = value.value else { return nil }
      switch value.origin {
      case .file(let line, _, _):
        return "its \(key) stands in \(parts.options.configurationPath):\(line)"
      case .secretFile(let path):
        return path.hasPrefix(own + "/")
          ? "\(parts.options.configurationPath) still names the file of its \(key), which is removed"
          : "its \(key) stands in \(path)"
      case .environment(let variable):
        return "its \(key) comes from the environment variable \(variable)"
      case .byDefault, .entered: return nil
      }
    }
  }

  /// Has `change` made.
  ///
  /// - Returns: what went wrong; nil where it is done.
  private func take(_ change: EntryChange) async -> ControlResult? {
    let result = await ask { .change(change, done: $0) }
    if case .done = result { return nil }
    return result
  }

  /// Asks the one place where the configuration is changed, one request after the other.
  private func ask(_ request: (ReloadAnswer) -> SignalWatch.Request) async -> ControlResult {
    let answer = ReloadAnswer()
    signals.ask(request(answer))
    return await bounded(by: Self.reloadPatience, time: parts.time) { await answer.wait() }
      ?? .failed("It takes longer than usual: see '\(Product.name) status'.")
  }

  /// Watches what becomes of a pairing.
  private func outcome(of name: String) async -> ControlResult {
    let deadline = parts.time.now.advanced(by: Self.pairingPatience)
    while parts.time.now < deadline {
      let member = supervision.members.first { $0.configuration.name == name }
      switch member?.standing.state {
      case .online: return .done("'\(name)' is paired and online.")
      case .parked(let problem, let remedy), .degraded(let problem, let remedy):
        return .failed("\(name): \(problem)" + (remedy.isEmpty ? "" : "; \(remedy)"))
      case .backingOff(let problem, _): return .failed("\(name): \(problem); it is tried again")
      case .disabled, .starting, .stopped, nil: break
      }
      do { try await parts.time.sleep(for: Self.glance) } catch { break }
    }
    return .done("The code is taken; '\(Product.name) status' shows what becomes of it.")
  }
}
