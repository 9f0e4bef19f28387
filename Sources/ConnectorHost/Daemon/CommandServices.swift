internal import ConnectorKit
internal import Moonraker
internal import Networking
internal import Platform

/// What a command passes on its way, one of each in a daemon: the gate with its journal, the outboxes, the audit, the
/// staging folder, the cameras.
final class CommandServices: Sendable {
  /// So long a running command may go on when the daemon ends; then nobody knows what became of it.
  private static let farewell = Duration.milliseconds(1_400)
  /// So long the start waits for the disk: reporting must not depend on it.
  private static let patience = Duration.seconds(5)

  let gate: CommandGate
  let deliveries: Deliveries
  let audit: AuditLog
  private let store: StoreDatabase
  private let staging: StagingFolder
  /// Whether the staging folder can be used; not before ``start()``.
  private let isStaging = Guarded(false)
  private let time: any TimeSource
  private let log: Log
  private let owed = Guarded<[String: OutboxState]>([:])
  private let entrances = Guarded<[String: GateEntrance]>([:])
  private let running = Guarded<Task<Void, Never>?>(nil)

  /// The services of a daemon with this state directory. Make them before the connection to Moonraker is started.
  init(
    directory: StateDirectory, cache: StatusCache, moonraker: MoonrakerRunner, sink: any LogSink,
    time: any TimeSource
  ) {
    self.time = time
    log = Log(label: "gate", sink: sink)
    store = StoreDatabase(directory: directory, time: time, log: log)
    audit = AuditLog(directory: directory, log: log, time: time)
    let deliveries = Deliveries(store: store, time: time, sink: sink)
    self.deliveries = deliveries
    gate = CommandGate(
      status: cache, printer: MoonrakerExecutor(moonraker: moonraker), store: store, audit: audit,
      time: time, log: log,
      onOwed: { deliveries.noteNew(backend: $0) },
      owe: { await deliveries.outbox(of: $0).put($1) })
    staging = StagingFolder(in: directory)
  }

  /// Reads what the last run left, and follows the printer from then on.
  func start() async {
    do {
      try await offload { [staging] in try staging.empty() }
      isStaging.withLock { $0 = true }
    } catch {
      log(.error, "files cannot be taken or sent: \(error); free some space there and restart")
    }
    _ = await bounded(by: Self.patience, time: time) { [self] in
      for command in try await store.recoverInterrupted() { audit.write(command.record) }
    }
    await gate.open()
    let task = Task { [gate] in await gate.run() }
    running.withLock { $0 = task }
  }

  /// Ends what runs; within three seconds whatever the disk does.
  func finish() async { await gate.finish(within: Self.farewell) }

  /// Leaves the disk in order, when nothing is owed any more: after ``finish()``, and after the backends have ended, which
  /// put into the outbox what they answer at the end. Within 400 ms whatever the disk does.
  func close() async {
    let task = running.withLock { $0 }
    task?.cancel()
    await task?.value
    _ = await bounded(by: .milliseconds(200), time: time) { [store] in await store.close() }
    _ = try? await offload { [audit] in audit.flush(within: .milliseconds(200)) }
  }

  /// The gate as `entry`'s backend sees it; a reload gives the same one other rules.
  func entrance(of entry: BackendConfiguration, requiresClearBed: Bool) -> GateEntrance {
    let policy = CommandPolicy(entry, requiresClearBed: requiresClearBed)
    return entrances.withLock { entrances in
      if let entrance = entrances[entry.name] {
        entrance.policy = policy
        return entrance
      }
      let entrance = gate.entrance(of: entry.name, policy)
      entrances[entry.name] = entrance
      return entrance
    }
  }

  /// Takes the rules of a new configuration, also for backends that go on running.
  func adopt(_ configuration: Configuration) {
    let enabled = configuration.backends.filter(\.isEnabled)
    for entry in enabled {
      _ = entrance(of: entry, requiresClearBed: configuration.printer.requireClearBed)
    }
    // Who is gone may do nothing any more, with what is still under way either.
    let gone = entrances.withLock { entrances in
      entrances.filter { name, _ in !enabled.contains { $0.name == name } }
    }
    for entrance in gone.values { entrance.policy = CommandPolicy(permissions: []) }
  }

  /// Files on their way, over `transport`.
  func transfers(over transport: any HTTPTransport) -> any FileTransfers {
    guard isStaging.withLock({ $0 }) else { return UnavailableTransfers() }
    return HostTransfers(staging: staging, transport: transport, time: time)
  }

  /// How things stand. What is owed is as old as the disk is slow, but for half a second.
  func view() async -> CommandsView {
    _ = await bounded(by: .milliseconds(500), time: time) { [deliveries, owed] in
      let states = await deliveries.states()
      owed.withLock { $0 = states }
    }
    return CommandsView(gate.view, audit: audit.standing, owed: owed.withLock { $0 })
  }

  /// The audit's lines that `query` wants, with those that are still on their way to the disk.
  ///
  /// - Throws: `PlatformError` where it cannot be read.
  func history(_ query: AuditQuery) async throws -> AuditPage {
    try await offload { [audit] in
      audit.flush(within: .milliseconds(300))
      return try AuditPager(path: audit.path).page(query)
    }
  }

  /// What a backend's far side is owed, oldest first, at most 100.
  ///
  /// - Throws: `StoreFailure` where the disk does not say.
  func owed(to backend: String) async throws -> [OwedSummary] {
    try await store.summaries(of: backend, limit: 100)
  }

  /// Notes in the audit what is no command: what a reload allows that was not allowed before, and who has seen it.
  ///
  /// - Parameter refusal: why it was not done; nil: it was.
  func note(_ text: String, as action: String, refusal: CommandOutcome.Reason? = nil) {
    gate.note(
      AuditRecord(
        at: time.wallTime, backend: "host", commandID: "", action: action, digest: "",
        outcome: refusal.map { CommandOutcome(.refused, $0, text) }
          ?? CommandOutcome(.done, .ok, text),
        latency: .zero))
  }
}

extension InterruptedCommand {
  /// What the audit says of it.
  fileprivate var record: AuditRecord {
    AuditRecord(
      at: at, backend: id.backend, commandID: id.id, action: wireName, digest: digest,
      outcome: .interrupted, latency: .zero)
  }
}
