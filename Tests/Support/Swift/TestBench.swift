package import ConnectorKit
package import JSON
internal import Networking
package import Platform
package import Testing

/// An identity store in memory, which can be made to fail.
package final class MemoryIdentityStore: IdentityStore {
  private let kept: Guarded<(identity: JSONObject?, failures: Int, saves: Int)>

  /// A store that holds `identity`.
  package init(_ identity: JSONObject? = nil) { kept = Guarded((identity, 0, 0)) }

  /// What is stored now.
  package var identity: JSONObject? { kept.withLock { $0.identity } }
  /// How often something was stored.
  package var saves: Int { kept.withLock { $0.saves } }
  /// Makes the next `count` calls of `save` fail.
  package func failSaves(_ count: Int) { kept.withLock { $0.failures = count } }

  package func load() async throws -> JSONObject? { identity }
  package func save(_ identity: JSONObject) async throws {
    try kept.withLock { kept in
      if kept.failures > 0 {
        kept.failures -= 1
        throw BackendFailure(.retry(after: nil), "no space left")
      }
      kept.identity = identity
      kept.saves += 1
    }
  }
  package func remove() async throws { kept.withLock { $0.identity = nil } }
}

/// All that a backend gets, on paper: a manual clock, a printer by hand, a scripted far side, and what it told.
package final class TestBench: Sendable {
  /// The clock.
  package let time = ManualTime()
  /// The printer.
  package let printer: StandInPrinter
  /// The far side.
  package let transport: ScriptedTransport
  /// The far side's WebSockets.
  package let webSockets: ScriptedWebSockets
  /// What pairing yielded.
  package let identity: MemoryIdentityStore
  /// Its own files.
  package let stateFiles = MemoryStateFiles()
  /// The gate.
  package let gateway: ScriptedGateway
  /// What the far side is owed.
  package let outbox: MemoryOutbox
  /// Files on their way.
  package let transfers: ScriptedTransfers
  /// The printer's files.
  package let files = ScriptedFiles()
  /// The camera.
  package let webcams: ScriptedWebcams
  /// A server on loopback, whatever address is wished for.
  package let listener = LoopbackListener()
  /// The network's list of services.
  package let advertiser = ScriptedAdvertiser()
  /// Whether the bed is clear.
  package let isBedClear = Guarded(false)
  /// What Moonraker's job queue starts by itself.
  package let queueTransition = Guarded<Result<QueueTransition, CommandFailure>>(
    .success(QueueTransition()))
  /// Where the backend runs.
  package let executor = IdleExecutor()
  /// The log.
  package let log = RecordingSink()
  private let told = Guarded<(health: [BackendHealth], retired: [String])>(([], []))
  private let confirmed = Guarded<[Duration]>([])
  private let chance: @Sendable () -> Double

  /// A bench.
  ///
  /// - Parameters:
  ///   - identity: what is stored at the start.
  ///   - random: what the context's `random` gives; 0.5 is the middle of any jitter.
  ///   - script: what the far side does.
  package init(
    identity: JSONObject? = nil, random: @escaping @Sendable () -> Double = { 0.5 },
    _ script: @escaping ScriptedTransport.Script
  ) {
    printer = StandInPrinter(time: time)
    transport = ScriptedTransport(script)
    webSockets = ScriptedWebSockets(time: time)
    self.identity = MemoryIdentityStore(identity)
    outbox = MemoryOutbox(time: time)
    gateway = ScriptedGateway(time: time, outbox: outbox)
    transfers = ScriptedTransfers()
    webcams = ScriptedWebcams(time: time)
    chance = random
  }

  /// What the backend said of itself, in order.
  package var health: [BackendHealth] { told.withLock { $0.health } }

  /// For how long the far side's confirmations count, in order.
  package var confirmations: [Duration] { confirmed.withLock { $0 } }

  /// The keys of the secrets that it called spent.
  package var retired: [String] { told.withLock { $0.retired } }

  /// Runs `backend` while `body` plays with it, then cancels it and waits for its end, which must leave nothing behind.
  package func run(
    _ backend: any ConnectorBackend, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
  ) async throws {
    let task = Task(executorPreference: executor) { try await backend.run() }
    do {
      try await body()
    } catch {
      task.cancel()
      throw error
    }
    task.cancel()
    await #expect(throws: CancellationError.self, sourceLocation: sourceLocation) {
      try await task.value
    }
    #expect(time.deadlines.isEmpty, sourceLocation: sourceLocation)
    #expect(printer.eventReaderCount == 0, sourceLocation: sourceLocation)
  }

  /// The context for a backend of this name.
  package func context(_ name: String = "test") -> BackendContext {
    BackendContext(
      name: name, printerName: "Voron", moonrakerAddress: "http://127.0.0.1:7125",
      status: printer, http: transport, pinnedHTTP: { [transport] _ in transport },
      webSockets: webSockets, identity: identity, commands: gateway, outbox: outbox,
      transfers: transfers, files: files, webcams: webcams, listener: listener,
      advertiser: advertiser,
      isBedClear: { [isBedClear] in isBedClear.withLock { $0 } }, time: time,
      log: Log(label: name, sink: log), random: chance,
      report: { [told] health in told.withLock { $0.health.append(health) } },
      confirm: { [confirmed] duration in confirmed.withLock { $0.append(duration) } },
      stateFiles: stateFiles,
      queueTransition: { [queueTransition] () async throws(CommandFailure) in
        try queueTransition.withLock { $0 }.get()
      },
      retireSecret: { [told] key in told.withLock { $0.retired.append(key) } })
  }
}
