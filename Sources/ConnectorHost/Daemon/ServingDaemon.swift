internal import ConnectorKit
internal import Networking
internal import Platform

/// The daemon as it serves: supervision, the dashboard, reloads, until it is told to end.
final class ServingDaemon: Sendable {
  /// How long the backends have to end together; the process ends within three seconds.
  private static let grace = Duration.milliseconds(2_300)
  /// How long a backend that is added waits for what it reads of the printer.
  private static let patience = Duration.seconds(5)

  private let parts: RunningDaemon
  private let supervision: Supervision
  private let listeners: ControlListeners
  private let agent: AgentService
  private let signals: SignalWatch
  private let feed: DashboardFeed

  init(_ parts: RunningDaemon, signals: SignalWatch) {
    self.parts = parts
    self.signals = signals
    let crashes = CrashLedger(directory: parts.directory, time: parts.time, log: parts.log)
    let news = Nudge()
    // The one knot between the two: the feed looks at the members, whose changes it is told of.
    let members = Guarded<(@Sendable () -> [Supervision.Member])>({ [] })
    let feed = DashboardFeed(status: parts.cache, time: parts.time) { scope in
      scope == .printer ? parts.printerView : await parts.view(of: members.withLock { $0 }())
    }
    self.feed = feed
    let supervision = Supervision(
      time: parts.time, sink: parts.writer, random: { Double.random(in: 0..<1) },
      onChange: {
        news.send()
        feed.noteChange()
      }
    ) { [crashes] entry in
      if let refusal = crashes.refusal(of: entry.name) { return { _ in throw refusal } }
      let body = parts.assembly(parts.configuration).body(for: entry)
      return { report in
        // Else its first words would lack what nobody has asked Moonraker for before.
        await parts.moonraker.subscribed(within: Self.patience)
        try Task.checkCancellation()
        try await CrashMark.marking(entry.name) { try await body(report) }
      }
    }
    self.supervision = supervision
    members.withLock { $0 = { [weak supervision] in supervision?.members ?? [] } }
    parts.services.gate.onChange { feed.noteChange() }
    parts.supervised { [weak supervision] name in supervision?.start(name) }
    let switchboard = BackendSwitchboard(parts: parts, supervision: supervision, signals: signals)
    agent = AgentService(
      parts: parts, supervision: supervision, switchboard: switchboard, nudge: news)
    listeners = ControlListeners(
      log: parts.log, socket: parts.controlSocket,
      actions: PersonalControl(
        services: parts.services, widenings: parts.widenings,
        switchboard: switchboard,
        time: parts.time),
      pages: parts.pages,
      dashboard: DashboardServices(
        feed: feed, temperatures: parts.temperatures, startedAt: parts.startedAt, time: parts.time,
        history: { try await parts.services.history($0) },
        owed: { try await parts.services.owed(to: $0) },
        explain: { parts.explanation(of: $0) })
    ) { await parts.view(of: supervision.members) }
  }

  /// Serves until SIGTERM or SIGINT. No start waits for the printer or for another.
  func serve() async {
    let configuration = parts.configuration
    await parts.services.start()
    agent.attach()
    await parts.startMoonraker(configuration)
    listeners.openSocket()
    listeners.apply(configuration.control)
    supervision.reconcile(with: configuration.backends)
    parts.notifier.ready(status)
    let watch = FileWatch(parts.options.configurationPath) { [signals] in
      signals.noteFileChange()
    }
    defer { withExtendedLifetime(watch) {} }
    let serving = Task { [agent] in await agent.run() }
    await withTaskGroup { group in
      group.addTask { [notifier = parts.notifier] in await notifier.keepWatchdogQuiet() }
      group.addTask { [feed] in await feed.run() }
      requests: for await request in signals.requests {
        switch request {
        case .reload: _ = await reload(always: true)
        case .fileChanged: _ = await reload(always: false)
        case .reloadFor(let person, let accepting, let done):
          let allowed = await reload(always: true, by: person, accepting: accepting)
          done.end(answer(allowed))
        case .change(let change, let done):
          done.end(await carryOut(change))
          feed.noteChange()
        case .end: break requests
        }
      }
      group.cancelAll()
    }
    // Not waited for: what it is doing may hang on the disk, and the end may not.
    serving.cancel()
    await end()
  }

  /// One line for the service manager.
  private var status: String {
    let names = parts.configuration.backends.filter(\.isEnabled).map(\.name)
    return names.isEmpty ? "no backend is enabled" : "serving \(names.joined(separator: ", "))"
  }

  // MARK: - The end

  private func end() async {
    parts.log(.info, "ending")
    parts.notifier.stopping()
    // Beside each other: what a backend still waits for may be the end of a command.
    async let commands: Void = parts.services.finish()
    await supervision.stop(grace: Self.grace)
    await commands
    await parts.services.close()
    await parts.moonraker.stop()
    // What still waits on the network, of a backend that was left behind, ends with it.
    parts.network.shutdown()
    _ = try? await offload { [listeners] in listeners.stop() }
    parts.log(.info, "ended")
  }

  // MARK: - Reload

  /// Reads the file again. Everything is checked first; on any error nothing changes.
  ///
  /// - Parameters:
  ///   - always: also where the file says what it said: what it refers to may have changed.
  ///   - person: who wants it; nil: nobody in particular.
  ///   - accepting: what that person takes over of what is held back.
  /// - Returns: what is allowed now and was not before.
  private func reload(
    always: Bool, by person: String? = nil, accepting: Acceptance = .nothing
  ) async -> [String] {
    let path = parts.options.configurationPath
    let running = Set(parts.configuration.backends.filter(\.isEnabled).map(\.name))
    let loaded = try? await offload { [loader = parts.loader, overlay = parts.overlay.current] in
      let file = loader.load(path, overlay: overlay)
      // What was switched on and never could be since must not hold up everything else.
      return loader.load(file.text, from: path, overlay: overlay) { !running.contains($0) }.loaded
        .orUnread(file)
    }
    // Our own edit of the file comes here too, and changes nothing.
    let isOther = loaded?.fingerprint != parts.secrets.fingerprint
    guard always || isOther || parts.reloadProblem != nil else { return [] }
    parts.notifier.reloading()
    defer {
      feed.noteChange()
      parts.notifier.ready(status)
    }
    let allowed = await apply(loaded, from: path, by: person, accepting: accepting)
    if parts.reloadProblem != nil {
      // A token that was withdrawn counts no more, whatever else the file says.
      _ = try? await offload { [parts, listeners] in
        listeners.apply(parts.configuration.control)
      }
    }
    return allowed
  }

  private func apply(
    _ loaded: LoadedConfiguration?, from path: String, by person: String?, accepting: Acceptance
  ) async -> [String] {
    let former = parts.configuration
    guard let loaded else {
      parts.refuse("\(path) cannot be read")
      return []
    }
    for found in loaded.findings where found.finding.severity != .note {
      parts.log(found.finding.severity == .error ? .error : .warning, "\(found)")
    }
    guard let new = loaded.configuration else {
      parts.refuse(loaded.firstError ?? "\(path) is not usable")
      return []
    }
    let trust = Trust(new, former: parts.trust)
    let widenings = Widening.between(
      parts.trust, trust, switchedOn: parts.overlay.current.switchedOn)
    // The former file decides: the new one may come from the same hand as the wider permissions.
    if parts.trust.pinsPermissions, !widenings.isEmpty,
      !accepting.covers(loaded.fingerprint, widenings, shown: parts.waiting)
    {
      parts.hold(widenings, file: loaded.fingerprint)
      return []
    }
    // What waited was shown to the person who reloads; all else is, until somebody has seen it.
    let known = parts.trust.pinsPermissions ? Set(parts.waiting?.changes ?? []) : []
    await tell(widenings.map(\.text), known: known, by: person)
    parts.adopt(new, trust, text: loaded.text)
    parts.secrets.loaded(fingerprint: loaded.fingerprint)
    _ = try? await offload { [parts] in
      parts.accept(new, trust, text: loaded.text)
      parts.overlay.forgetSwitches(editedIn: new.backends)
    }
    await take(new, insteadOf: former)
    return widenings.map(\.text)
  }

  /// Logs, audits and shows what is allowed now and was not before.
  private func tell(_ texts: [String], known: Set<String> = [], by person: String?) async {
    for text in texts {
      parts.log(.warning, "allowed now: \(text)")
      parts.services.note(person.map { "\(text); accepted by \($0)" } ?? text, as: "widened")
    }
    let unseen = texts.filter { !known.contains($0) }
    guard !unseen.isEmpty else { return }
    parts.widenings.add(unseen, at: parts.time.wallTime)
    _ = await parts.widenings.save(parts.time)
  }

  /// What a person is told who has reloaded.
  private func answer(_ allowed: [String]) -> ControlResult {
    if let problem = parts.reloadProblem {
      return .refused("The former configuration goes on: \(problem)")
    }
    let news = allowed.isEmpty ? "" : " Allowed now: \(allowed.joined(separator: "; "))."
    return .done("\(parts.options.configurationPath) was read again and is in force.\(news)")
  }

  // MARK: - Single entries

  /// Carries out what a person wants of one entry, on the configuration in force: what lies on the disk by now has no say.
  private func carryOut(_ change: EntryChange) async -> ControlResult {
    let former = parts.configuration
    guard let index = former.backends.firstIndex(where: { $0.name == change.name }) else {
      return .refused("No entry is called '\(change.name)' any more.")
    }
    let entry = former.backends[index]
    if let why = change.refusal(parts.overlay.current, entry) { return .refused(why) }
    let edit: @Sendable (inout ConfigurationOverlay) -> Void = { change.edit(&$0, entry) }
    var candidate = parts.overlay.current
    edit(&candidate)
    var new = former
    let switchedOn = candidate.switchedOn.union(change.turnsOff ? [] : [change.name])
    if change.turnsOff {
      new.backends[index].isEnabled = false
    } else {
      guard !parts.text.isEmpty else {
        return .refused(
          "Nothing was changed: the file has to be accepted first, by '\(Product.name) reload'.")
      }
      let running = Set(former.backends.filter(\.isEnabled).map(\.name)).union([change.name])
      let loaded = try? await offload { [parts, candidate] in
        parts.loader.load(
          parts.text, from: parts.options.configurationPath, overlay: candidate
        ) { !running.contains($0) }.loaded
      }
      let found = loaded?.configuration?.backends.first { $0.name == change.name }
      guard let found else {
        return .refused(
          "Nothing was changed, since the entry cannot be used: \(loaded?.firstError ?? "")")
      }
      new.backends[index] = found
      let wider = Widening.between(
        parts.trust, Trust(new, former: parts.trust), switchedOn: switchedOn)
      if change.isByMacro, parts.trust.pinsPermissions, let first = wider.first {
        return .refused(
          "'\(change.name)' is not as it was when it ran, so a person switches it on: \(first.text)"
        )
      }
      do {
        try await offload { [overlay = parts.overlay] in try overlay.change(edit) }
      } catch {
        return .failed("Nothing was changed, since it cannot be kept: \(error)")
      }
    }
    let trust = Trust(new, former: parts.trust)
    await tell(
      Widening.between(parts.trust, trust, switchedOn: switchedOn).map(\.text), by: nil)
    parts.adopt(new, trust)
    await take(new, insteadOf: former)
    var result = ControlResult.done("")
    if change.turnsOff {
      // It is off by now, whatever the disk does.
      do {
        try await offload { [overlay = parts.overlay] in try overlay.change(anyway: true, edit) }
      } catch {
        result = .failed(
          "'\(change.name)' is switched off until the next start: it cannot be kept: \(error)")
      }
    }
    if !parts.text.isEmpty {
      _ = try? await offload { [parts] in parts.accepted.keep(trust, text: parts.text) }
    }
    parts.notifier.ready(status)
    return result
  }

  private func take(_ new: Configuration, insteadOf former: Configuration) async {
    _ = try? await offload { [parts, listeners] in
      parts.writer.configure(new.logSettings(override: parts.options.logLevel))
      listeners.apply(new.control)
    }
    if new.stateDirectory != former.stateDirectory {
      parts.log(.warning, "state_directory takes effect at the next start")
    }
    let isOtherNetwork = new.network != former.network
    if isOtherNetwork || !new.reachesMoonraker(as: former) {
      await parts.startMoonraker(new)
      parts.log(.info, "reload: the connection to Moonraker is made anew")
    } else {
      // What a backend that goes has read stays until it is told to end.
      var both = former.interest
      both.formUnion(new.interest)
      await parts.moonraker.setInterest(both)
    }
    let changes = supervision.reconcile(
      with: new.backends,
      restartingAll: isOtherNetwork || new.printer.name != former.printer.name
        || new.printer.moonraker != former.printer.moonraker,
      retired: { [secrets = parts.secrets] in secrets.keys(spentBy: $0) })
    await parts.moonraker.setInterest(new.interest)
    parts.pages.keep(Set(new.backends.filter(\.isEnabled).map(\.name)))
    parts.log(.info, "reloaded: \(changes)")
  }
}
