internal import ConnectorKit
internal import JSON
internal import Platform
internal import SocketIO

// What runs beside the loop, each part a task of its own.

extension SessionLoop {
  /// What the session goes by.
  func rules(isOnce: Bool) -> PolarSession.Rules {
    PolarSession.Rules(
      host: configuration.server.host, credentials: configuration.credentials,
      username: configuration.username,
      canRegister: configuration.username?.isEmpty == false
        && configuration.pin?.revealed.isEmpty == false,
      statusInterval: configuration.statusInterval, allowsGcode: configuration.allowsGcode,
      isOnce: isOnce, random: context.random, wallTime: { [time = context.time] in time.wallTime })
  }

  /// The printer as it may be told of now.
  func reading() -> PolarReading {
    let now = context.time.now
    return PolarReading(context.status.trusted(at: now), at: now)
  }

  /// Sends an event on the connection that stands.
  func send(
    _ name: String, _ body: JSONObject, _ way: AsyncStream<PolarLink.Outgoing>.Continuation?
  ) {
    if configuration.isVerbose { context.log(.info, "sent \(name)") }
    way?.yield(PolarLink.Outgoing(name: name, body: body))
  }

  /// Makes a connection and serves it to its end.
  func connect(
    _ mailbox: AsyncStream<Letter>.Continuation, _ inflow: Inflow,
    _ group: inout ThrowingDiscardingTaskGroup<any Error>
  ) {
    group.addTask {
      let greeting = try await HostFacts(
        configuration: configuration, store: store, context: context
      ).greeting()
      let (events, way) = AsyncStream.makeStream(of: PolarLink.Outgoing.self)
      let listener = PolarLink.Listener(
        opened: { mailbox.yield(.opened($0, greeting, way)) },
        received: { event in
          mailbox.yield(.received(event))
          await inflow.enter()
        },
        sent: { report in
          guard let id = report.body["jobId"]?.string else { return }
          mailbox.yield(.session(.reportSent(jobID: id)))
        },
        delivered: { report, isKnown in
          guard let id = report.body["jobId"]?.string else { return }
          mailbox.yield(
            .session(isKnown ? .reportTaken(jobID: id) : .reportUnanswered(jobID: id)))
        })
      let closure = try await link().serve(events, listener)
      mailbox.yield(.session(.ended(closure)))
    }
  }

  /// What connects.
  func link() throws -> PolarLink {
    let server = configuration.server
    let url = server.origin + "/" + (server.query.map { "?\($0)" } ?? "")
    guard let address = SocketIOAddress(url) else {
      throw BackendFailure(
        .park, "server_url is no http or https address", remedy: "correct server_url")
    }
    var options = SocketIOOptions()
    options.fields = [HTTPFieldOfOurs.userAgent]
    let client = SocketIOClient(
      address, options: options, webSockets: context.webSockets, time: context.time
    ) { [log = context.log] oddity in
      log(.info, "the server sent \(oddity.words)")
    }
    return PolarLink(client: client, log: context.log)
  }

  /// Wakes the session when the printer does something else; temperatures and progress are looked at when they are due.
  func watchPrinter(_ mailbox: AsyncStream<Letter>.Continuation) async {
    for await _ in context.status.snapshots(changing: { PrinterTurn($0) }) {
      mailbox.yield(.session(.tick))
    }
  }

  /// Tells the session of what happens to jobs: it may be over before a snapshot is looked at.
  func watchJobs(_ mailbox: AsyncStream<Letter>.Continuation) async {
    for await event in context.status.events() {
      guard case .job(let event, _, let filename) = event else { continue }
      mailbox.yield(.session(.job(event, filename: filename)))
    }
  }

  /// Stores what the session wants kept, one after the other.
  func keep(
    _ keepsakes: AsyncStream<Keepsake>, _ mailbox: AsyncStream<Letter>.Continuation
  ) async {
    for await keepsake in keepsakes {
      switch keepsake {
      case .change(let change):
        do {
          try await store.save()
          mailbox.yield(.session(.stored(change)))
        } catch {
          mailbox.yield(.session(.notStored(change, "\(error)")))
        }
      case .job(let taken):
        do {
          // Of what was taken back already nothing is left to be noted.
          if !taken.abort.hasBeenPulled { try await store.apply(.job(taken.job)) }
          mailbox.yield(.begin(taken))
        } catch {
          let outcome = CommandOutcome(.failed, .journal, "it cannot be noted: \(error)")
          mailbox.yield(.session(.printEnded(jobID: taken.job.id, outcome)))
        }
      case .end(let end, let serialNumber):
        // First what is owed, then that it is: a crash in between owes it once more under the same key. What lies in memory
        // only is noted when it has been delivered.
        if await context.outbox.put(end.owed(serialNumber)) { await noteReported(end.jobID) }
        mailbox.yield(.session(.reportKept(jobID: end.jobID)))
      }
    }
  }

  private func noteReported(_ id: String) async {
    do { try await store.apply(.reported(id)) } catch {
      context.log(.warning, "job \(id): its end cannot be noted: \(error)")
    }
  }

  /// Shows the session the ends of jobs that are owed, one after the other, and settles them as it says.
  func deliver(
    _ verdicts: AsyncStream<OutboxVerdict>, _ mailbox: AsyncStream<Letter>.Continuation
  ) async throws {
    var verdicts = verdicts.makeAsyncIterator()
    while true {
      let entry = try await context.outbox.oldest()
      let id = entry.item.body["jobId"]?.string ?? entry.item.key
      mailbox.yield(
        .session(.owed(PolarSession.OwedEnd(jobID: id, body: entry.item.body))))
      guard let verdict = await verdicts.next() else { throw CancellationError() }
      await context.outbox.settle(entry, verdict)
      if store.record.job?.id == id { await noteReported(id) }
      let isLast = await context.outbox.peek() == nil
      mailbox.yield(.session(.settled(isLast: isLast)))
    }
  }

  /// Has a command executed, and tells the session where it needs to know.
  func execute(
    _ command: PolarCommand, _ contact: CommandContact, _ runner: JobRunner,
    _ mailbox: AsyncStream<Letter>.Continuation
  ) async {
    let outcome = await runner.execute(command, in: contact)
    switch command {
    case .cancel: mailbox.yield(.session(.cancelEnded(outcome)))
    case .gcode:
      mailbox.yield(
        .session(.gcodeEnded(outcome.status == .done ? "ok" : "error: \(outcome.message)")))
    case .pause, .resume, .temperature: break
    }
  }
}

/// What is worth waking up for at once.
struct PrinterTurn: Sendable, Hashable {
  private let link: Bool
  private let klippy: KlippyState
  private let isCurrent: Bool
  private let printState: String?
  private let filename: String?
  private let hasBegun: Bool

  /// Reads a snapshot.
  init(_ status: PrinterStatus) {
    link = status.link == .connected
    klippy = status.klippy
    isCurrent = status.isCurrent
    printState = status.printState
    filename = status.field("print_stats", "filename")?.string
    hasBegun = (status.field("print_stats", "print_duration")?.double ?? 0) >= 1
  }
}
