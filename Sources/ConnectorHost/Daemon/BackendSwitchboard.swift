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

  func setEnabled(_ isOn: Bool, _ name: String, by person: String) async -> ControlResult {
    guard let entry = entry(name) else { return unknown(name) }
    guard entry.isEnabled != isOn else {
      return .done("'\(name)' is \(isOn ? "on" : "off") already.")
    }
    var overlay = parts.overlay.current
    overlay.set(name, isEnabled: isOn, written: entry.isEnabledInFile)
    if let failure = await take(overlay, switchedOn: isOn ? [name] : []) { return failure }
    parts.services.note(
      "\(name) was switched \(isOn ? "on" : "off") by \(person)", as: isOn ? "enable" : "disable")
    let beside = entry.isEnabledInFile == isOn ? "" : ", whatever the file says, until it is edited"
    return .done("'\(name)' is switched \(isOn ? "on" : "off")\(beside).")
  }

  func reload(only file: String?, by person: String) async -> ControlResult {
    let accepting = file.map(Acceptance.file) ?? .anything
    if let failure = await reload(switchedOn: [], accepting: accepting) { return failure }
    parts.services.note("the configuration was read again by \(person)", as: "reload")
    return .done("\(parts.options.configurationPath) was read again and is in force.")
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
    var overlay = parts.overlay.current
    overlay.secrets[name, default: [:]][key] = code
    if !entry.isEnabled {
      overlay.set(name, isEnabled: true, written: entry.isEnabledInFile)
    }
    if let failure = await take(overlay, switchedOn: [name]) { return failure }
    parts.services.note("\(name) was given a code to pair with by \(person)", as: "pair")
    // The same code once more changes no setting; a parked backend is to try it all the same.
    supervision.start(name)
    return await outcome(of: name)
  }

  func unpair(_ name: String, by person: String) async -> ControlResult {
    guard let entry = entry(name) else { return unknown(name) }
    var overlay = parts.overlay.current
    overlay.secrets[name] = nil
    overlay.set(name, isEnabled: false, written: entry.isEnabledInFile)
    if let failure = await take(overlay, switchedOn: []) { return failure }
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
    } catch {
      return .failed("'\(name)' is switched off, but its pairing cannot be removed: \(error)")
    }
    parts.services.note("\(name) was unpaired by \(person)", as: "unpair")
    return .done(
      "'\(name)' has forgotten its pairing and is switched off; remove the printer at \(entry.connector.descriptor.title) as well."
    )
  }

  // MARK: - How

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

  /// Checks the file with `overlay`, keeps that, and puts it in force.
  ///
  /// - Returns: what went wrong; nil where it is done.
  private func take(
    _ overlay: ConfigurationOverlay, switchedOn: Set<String>
  ) async -> ControlResult? {
    let path = parts.options.configurationPath
    let former = parts.overlay.current
    let loaded = try? await offload { [loader = parts.loader] in
      loader.load(path, overlay: overlay)
    }
    guard let loaded, loaded.configuration != nil else {
      let error = loaded?.findings.first { $0.finding.severity == .error }
      return .refused(
        "Nothing was changed, since the file would not be usable: \(error?.description ?? path)")
    }
    do {
      try await offload { [overlays = parts.overlay] in try overlays.keep(overlay) }
    } catch {
      return .failed("Nothing was changed, since it cannot be kept: \(error)")
    }
    let failure = await reload(switchedOn: switchedOn)
    // What was refused must not come true with a later reload.
    if failure != nil, parts.waiting != nil {
      try? await offload { [overlays = parts.overlay] in try overlays.keep(former) }
    }
    return failure
  }

  private func reload(
    switchedOn: Set<String>, accepting: Acceptance = .nothing
  ) async -> ControlResult? {
    let answer = ReloadAnswer()
    signals.ask(.reloadFor(switchedOn: switchedOn, accepting: accepting, done: answer))
    let problem: String?? = await bounded(by: Self.reloadPatience, time: parts.time) {
      await answer.wait()
    }
    switch problem {
    case nil: return .failed("It takes longer than usual: see '\(Product.name) status'.")
    case .some(nil): return nil
    case .some(let problem?): return .refused("The former configuration goes on: \(problem)")
    }
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
