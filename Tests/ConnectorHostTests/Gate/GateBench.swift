import ConnectorKit
import JSON
import Moonraker
import Platform
import TestSupport

@testable import ConnectorHost

/// A gate with all around it on paper, run job by job.
final class GateBench {
  final class Audit: AuditSink {
    let records = Guarded<[AuditRecord]>([])
    func write(_ record: AuditRecord) { records.withLock { $0.append(record) } }
  }
  let time: ManualTime
  let executor: SteppingExecutor
  let cache: StatusCache
  let disk: FakeDisk
  let store: FakeStore
  let printer: FakePrinter
  let audit = Audit()
  let sink = RecordingSink()
  let nudged = Guarded<[String]>([])
  /// What went into an outbox beside the store; it is kept with what the disk has, as the outbox would in the end.
  let direct = Guarded<[String]>([])
  let gate: CommandGate
  private var follower: Task<Void, Never>?
  private var entrances: [String: GateEntrance] = [:]
  /// Chooses among ready jobs.
  var pick: (Int) -> Int = { _ in 0 }

  /// A gate over `disk`; `printer` and `time` may be those of a former one.
  init(
    disk: FakeDisk = FakeDisk(), printer: FakePrinter = FakePrinter(),
    time: ManualTime = ManualTime()
  ) {
    self.disk = disk
    self.printer = printer
    self.time = time
    executor = SteppingExecutor()
    cache = StatusCache(time: time)
    store = FakeStore(disk: disk, executor: executor)
    gate = CommandGate(
      status: cache, printer: printer, store: store, audit: audit, time: time,
      log: Log(label: "gate", sink: sink), executor: executor,
      onOwed: { [nudged] backend in nudged.withLock { $0.append(backend) } },
      owe: { [direct, disk] backend, item in
        direct.withLock { $0.append(item.key) }
        disk.contents.withLock { $0.owe(item, to: backend) }
      })
  }

  deinit {
    follower?.cancel()
    executor.drain()
  }

  /// A gate that is open, with a printer in `state`.
  static func ready(
    _ state: String = "standby", disk: FakeDisk = FakeDisk(),
    printer: FakePrinter = FakePrinter(), time: ManualTime = ManualTime()
  ) -> GateBench {
    let bench = GateBench(disk: disk, printer: printer, time: time)
    bench.open()
    bench.come(state)
    return bench
  }

  func open() {
    Task(executorPreference: executor) { [gate] in await gate.open() }
    drain()
    follower = Task(executorPreference: executor) { [gate] in await gate.run() }
    drain()
  }

  /// How many jobs run between two steps of a test; nil: all that are ready.
  var jobsPerStep: (() -> Int)?

  func drain() {
    if let jobsPerStep { executor.run(jobsPerStep(), pick) } else { executor.drain(pick) }
  }

  /// The process is killed: nothing of it goes on.
  func die() {
    store.die()
    follower?.cancel()
  }

  // MARK: The printer

  func come(_ state: String = "standby", file: String = "", total: JSONValue? = nil) {
    var stats: JSONObject = ["state": .string(state), "filename": .string(file)]
    stats["total_duration"] = total
    cache.heard()
    cache.apply(.link(isUp: true))
    cache.apply(.klippy(.ready, message: ""))
    cache.apply(
      .full(
        [
          "print_stats": .object(stats),
          "extruder": ["temperature": 21.0, "target": 0.0],
          "heater_bed": ["temperature": 22.0, "target": 0.0],
          "toolhead": ["homed_axes": "xyz"],
        ], eventtime: JSONNumber(100), kept: [:], isComplete: true))
    drain()
  }

  func leave() {
    cache.apply(.link(isUp: false))
    drain()
  }

  func print(_ state: String, _ file: String? = nil) {
    var stats: JSONObject = ["state": .string(state)]
    if let file { stats["filename"] = .string(file) }
    update(["print_stats": .object(stats)])
  }

  func update(_ objects: JSONObject) {
    cache.heard()
    cache.apply(.update(objects, eventtime: JSONNumber(101)))
    drain()
  }

  func klippy(_ state: KlippyState) {
    cache.heard()
    cache.apply(.klippy(state, message: ""))
    drain()
  }

  func advance(by duration: Duration) {
    time.advance(by: duration)
    cache.heard()
    drain()
  }

  // MARK: Commands

  func entrance(
    _ backend: String = "a", _ permissions: Set<Permission> = PermissionLevel.full.permissions,
    requiresClearBed: Bool = false
  ) -> GateEntrance {
    if let known = entrances[backend] { return known }
    let entrance = gate.entrance(
      of: backend, CommandPolicy(permissions: permissions, requiresClearBed: requiresClearBed))
    entrances[backend] = entrance
    // Contact was there a moment ago.
    _ = entrance.contact()
    return entrance
  }

  /// Lets a backend in with a policy of its own.
  func admit(_ policy: CommandPolicy, as backend: String = "a") {
    let entrance = gate.entrance(of: backend, policy)
    entrances[backend] = entrance
    _ = entrance.contact()
  }

  /// Submits a command without running anything yet.
  func post(
    _ command: PrinterCommand, id: String, of backend: String = "a", age: Duration? = nil,
    contact: CommandContact? = nil, work: CommandWork? = nil, refusal: CommandFailure? = nil,
    early: EarlyAnswer? = nil, assumesClearAfter: Duration? = nil, deletesOwnOnly: Bool = false
  ) -> Promise<CommandOutcome> {
    let entrance = entrance(backend)
    let contact = contact ?? entrance.contact()
    let outcome = Promise<CommandOutcome>()
    var request = CommandRequest(
      id: id, wireName: command.kind.rawValue, command: command, age: age, refusal: refusal,
      earlyAnswer: early)
    request.assumesClearAfter = assumesClearAfter
    request.deletesOwnOnly = deletesOwnOnly
    Task(executorPreference: executor) { [request] in
      outcome.resolve(
        await entrance.submit(
          request, in: contact, work: work,
          owing: { outcome in
            OwedItem(
              key: id, kind: "result", body: ["status": .string(outcome.status.rawValue)])
          }))
    }
    return outcome
  }

  /// Submits a command and runs all that is ready; nil: it is not finished.
  @discardableResult
  func submit(
    _ command: PrinterCommand, id: String = "1", of backend: String = "a", age: Duration? = nil,
    contact: CommandContact? = nil, work: CommandWork? = nil, refusal: CommandFailure? = nil
  ) -> CommandOutcome? {
    let outcome = post(
      command, id: id, of: backend, age: age, contact: contact, work: work, refusal: refusal)
    drain()
    return outcome.current
  }

  var owed: [String: [OwedItem]] { disk.contents.withLock { $0.outbox } }
  var rows: [CommandID: StoredCommand] { disk.contents.withLock { $0.rows } }
  func row(_ id: String, of backend: String = "a") -> StoredCommand? {
    rows[CommandID(backend: backend, id: id)]
  }
}

extension GCodePath {
  /// A path that is known to be one.
  static func of(_ text: String) -> GCodePath {
    guard let path = GCodePath(text) else { fatalError("\(text) is no path") }
    return path
  }
}
