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
  private let signals: SignalWatch
  private let feed: DashboardFeed

  init(_ parts: RunningDaemon, signals: SignalWatch) {
    self.parts = parts
    self.signals = signals
    let crashes = CrashLedger(directory: parts.directory, time: parts.time, log: parts.log)
    // The one knot between the two: the feed looks at the members, whose changes it is told of.
    let members = Guarded<(@Sendable () -> [Supervision.Member])>({ [] })
    let feed = DashboardFeed(status: parts.cache, time: parts.time) { scope in
      scope == .printer ? parts.printerView : await parts.view(of: members.withLock { $0 }())
    }
    self.feed = feed
    let supervision = Supervision(
      time: parts.time, sink: parts.writer, random: { Double.random(in: 0..<1) },
      onChange: { feed.noteChange() }
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
    listeners = ControlListeners(
      log: parts.log, socket: parts.controlSocket,
      actions: PersonalControl(
        services: parts.services, widenings: parts.widenings,
        switchboard: BackendSwitchboard(parts: parts, supervision: supervision, signals: signals),
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
    await parts.startMoonraker(configuration)
    listeners.openSocket()
    listeners.apply(configuration.control)
    supervision.reconcile(with: configuration.backends)
    parts.notifier.ready(status)
    let watch = FileWatch(parts.options.configurationPath) { [signals] in
      signals.noteFileChange()
    }
    defer { withExtendedLifetime(watch) {} }
    await withTaskGroup { group in
      group.addTask { [notifier = parts.notifier] in await notifier.keepWatchdogQuiet() }
      group.addTask { [feed] in await feed.run() }
      requests: for await request in signals.requests {
        switch request {
        case .reload: await reload(always: true)
        case .fileChanged: await reload(always: false)
        case .reloadFor(let switchedOn, let accepting, let done):
          await reload(always: true, switchedOn: switchedOn, accepting: accepting)
          done.end(problem: parts.reloadProblem)
        case .end: break requests
        }
      }
      group.cancelAll()
    }
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
  ///   - switchedOn: entries that a person has just switched on.
  ///   - accepting: what a person takes over of what is held back.
  private func reload(
    always: Bool, switchedOn: Set<String> = [], accepting: Acceptance = .nothing
  ) async {
    let path = parts.options.configurationPath
    let loaded = try? await offload { [loader = parts.loader, overlay = parts.overlay.current] in
      loader.load(path, overlay: overlay)
    }
    // Our own edit of the file comes here too, and changes nothing.
    let isOther = loaded?.fingerprint != parts.secrets.fingerprint
    guard always || isOther || parts.reloadProblem != nil else { return }
    parts.notifier.reloading()
    await apply(loaded, from: path, switchedOn: switchedOn, accepting: accepting)
    feed.noteChange()
    parts.notifier.ready(status)
  }

  private func apply(
    _ loaded: LoadedConfiguration?, from path: String, switchedOn: Set<String>,
    accepting: Acceptance
  ) async {
    let former = parts.configuration
    guard let loaded else { return parts.refuse("\(path) cannot be read") }
    for found in loaded.findings where found.finding.severity != .note {
      parts.log(found.finding.severity == .error ? .error : .warning, "\(found)")
    }
    guard let new = loaded.configuration else {
      let errors = loaded.findings.filter { $0.finding.severity == .error }
      let more = errors.count > 1 ? " (and \(errors.count - 1) more)" : ""
      return parts.refuse((errors.first?.description ?? "\(path) is not usable") + more)
    }
    let widenings = Widening.between(former, new, switchedOn: switchedOn)
    // The former file decides: the new one may come from the same hand as the wider permissions.
    if former.control.pinPermissions, !widenings.isEmpty, !accepting.covers(loaded.fingerprint) {
      return parts.hold(widenings, file: loaded.fingerprint)
    }
    for widening in widenings {
      parts.log(.warning, "reload: \(widening)")
      parts.services.note(widening, as: "widened")
    }
    // Who accepted that very file has seen it.
    if !widenings.isEmpty, accepting != .file(loaded.fingerprint) {
      parts.widenings.add(widenings, at: parts.time.wallTime)
      _ = await parts.widenings.save(parts.time)
    }
    parts.adopt(new)
    parts.secrets.loaded(fingerprint: loaded.fingerprint)
    await take(new, insteadOf: former)
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
    if isOtherNetwork || new.moonrakerSettings != former.moonrakerSettings {
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
