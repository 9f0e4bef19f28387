internal import ConnectorKit
internal import Platform

/// What a person does to single backends of the running daemon: on, off, paired, forgotten. The file stays as it is.
struct BackendSwitchboard: Sendable {
  init(parts: RunningDaemon, supervision: Supervision, signals: SignalWatch) {
    self.parts = parts
    self.supervision = supervision
    self.signals = signals
  }

  /// So long a reload may take that somebody waits for.
  private static let reloadPatience = Duration.seconds(10)
  /// So long a pairing is watched.
  private static let pairingPatience = Duration.seconds(20)
  private static let glance = Duration.milliseconds(200)

  private let turns = Turns()
  let parts: RunningDaemon
  let supervision: Supervision
  let signals: SignalWatch

  func setEnabled(_ isOn: Bool, _ name: String, by person: String) async -> ControlResult {
    await turns.take {
      guard let entry = entry(name) else { return unknown(name) }
      guard entry.isEnabled != isOn else {
        return .done("'\(name)' is \(isOn ? "on" : "off") already.")
      }
      let written = await isEnabledInFile(entry)
      var remark = written == isOn ? "" : ", whatever the file says, until it is edited"
      let failure = await take(name, switchesOn: isOn) {
        $0.set(name, isEnabled: isOn, written: written)
      }
      if let failure {
        guard !isOn else { return failure }
        // Whoever has spoilt the file does not decide about that.
        if let failure = await switchOff(name, written: written) { return failure }
        remark = "; apart from that the former configuration goes on: \(failure.message)"
      }
      parts.services.note(
        "\(name) was switched \(isOn ? "on" : "off") by \(person)", as: isOn ? "enable" : "disable")
      return .done("'\(name)' is switched \(isOn ? "on" : "off")\(remark).")
    }
  }

  func reload(by person: String) async -> ControlResult {
    await turns.take {
      if let failure = await reload(switchedOn: [], accepting: true) { return failure }
      parts.services.note("the configuration was read again by \(person)", as: "reload")
      return .done("\(parts.options.configurationPath) was read again and is in force.")
    }
  }

  func pair(_ name: String, code: Secret, by person: String) async -> ControlResult {
    let failure: ControlResult? = await turns.take {
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
      let written = await isEnabledInFile(entry)
      return await take(name, switchesOn: true) {
        $0.secrets[name, default: [:]][key] = code
        if !entry.isEnabled { $0.set(name, isEnabled: true, written: written) }
      }
    }
    if let failure { return failure }
    parts.services.note("\(name) was given a code to pair with by \(person)", as: "pair")
    // The same code once more changes no setting; a parked backend is to try it all the same.
    supervision.start(name)
    return await outcome(of: name)
  }

  func unpair(_ name: String, by person: String) async -> ControlResult {
    await turns.take {
      guard let entry = entry(name) else { return unknown(name) }
      let written = await isEnabledInFile(entry)
      let failure = await take(name, switchesOn: false) {
        $0.secrets[name] = nil
        $0.set(name, isEnabled: false, written: written)
      }
      if failure != nil, let failure = await switchOff(name, written: written) { return failure }
      return await forget(entry, by: person)
    }
  }

  private func forget(_ entry: BackendConfiguration, by person: String) async -> ControlResult {
    let name = entry.name
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
    let descriptor = entry.connector.descriptor
    if let key = descriptor.pairingKey, let value = entry.settings.entries[key],
      value.origin != .entered
    {
      return .done(
        "'\(name)' is switched off and has forgotten what it was given; its \(key) still comes from \(parts.options.configurationPath) (\(value.origin)): remove it there, and the printer at \(descriptor.title)."
      )
    }
    return .done(
      "'\(name)' has forgotten its pairing and is switched off; remove the printer at \(descriptor.title) as well."
    )
  }

  // MARK: - How

  private func entry(_ name: String) -> BackendConfiguration? {
    parts.configuration.backends.first { $0.name == name }
  }

  /// What the file says of it by now: it may have been edited and not been read again.
  private func isEnabledInFile(_ entry: BackendConfiguration) async -> Bool {
    let path = parts.options.configurationPath
    let loaded = try? await offload { [loader = parts.loader] in loader.load(path) }
    let found = loaded?.configuration?.backends.first { $0.name == entry.name }
    return (found ?? entry).isEnabledInFile
  }

  private func unknown(_ name: String) -> ControlResult {
    let names = parts.configuration.backends.map(\.name)
    let remedy =
      NearestName.of(name, among: names).map { "did you mean '\($0)'?" }
      ?? "there are \(names.isEmpty ? "none" : names.joined(separator: ", "))."
    return .refused("No entry is called '\(name)'; \(remedy)")
  }

  /// Checks the file with what `change` makes of the overlay, keeps that, and puts it in force.
  ///
  /// - Returns: what went wrong, and nothing has changed then; nil where it is done.
  private func take(
    _ name: String, switchesOn: Bool, _ change: (inout ConfigurationOverlay) -> Void
  ) async -> ControlResult? {
    let path = parts.options.configurationPath
    let former = parts.overlay.current
    var overlay = former
    change(&overlay)
    let loaded = try? await offload { [loader = parts.loader, overlay] in
      loader.load(path, overlay: overlay)
    }
    guard let loaded, loaded.configuration != nil else {
      let error = loaded?.findings.first { $0.finding.severity == .error }
      return .refused(
        "Nothing was changed, since the file would not be usable: \(error?.description ?? path)")
    }
    if let failure = await keep(overlay) { return failure }
    guard let failure = await reload(switchedOn: switchesOn ? [name] : []) else { return nil }
    _ = try? await offload { [overlays = parts.overlay] in
      overlays.restore(name, from: former)
    }
    return failure
  }

  /// Switches an entry off in the configuration that is in force, and keeps that.
  private func switchOff(_ name: String, written: Bool) async -> ControlResult? {
    var overlay = parts.overlay.current
    overlay.set(name, isEnabled: false, written: written)
    if let failure = await keep(overlay) { return failure }
    return await answer { .switchOff(name, done: $0) }
  }

  private func keep(_ overlay: ConfigurationOverlay) async -> ControlResult? {
    do {
      try await offload { [overlays = parts.overlay] in try overlays.keep(overlay) }
      return nil
    } catch {
      return .failed("Nothing was changed, since it cannot be kept: \(error)")
    }
  }

  private func reload(switchedOn: Set<String>, accepting: Bool = false) async -> ControlResult? {
    await answer { .reloadFor(switchedOn: switchedOn, accepting: accepting, done: $0) }
  }

  private func answer(_ request: (ReloadAnswer) -> SignalWatch.Request) async -> ControlResult? {
    let answer = ReloadAnswer()
    signals.ask(request(answer))
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
