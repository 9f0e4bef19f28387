internal import ConnectorKit
internal import JSON
internal import Platform
internal import SocketIO

/// Runs a session: carries events to it and its actions out. Everything it starts ends with it.
struct SessionLoop: Sendable {
  /// What comes to the loop.
  enum Letter: Sendable {
    case session(PolarSession.Event)
    /// A connection stands, and this is what is said of us on it.
    case opened(SocketIOConnection, Greeting, AsyncStream<PolarLink.Outgoing>.Continuation)
    case received(SocketIOEvent)
    /// A job is on the disk: its file may be fetched.
    case begin(TakenJob)
    /// Another key is to be used.
    case key(PolarKey)
    /// The record says something else than this run was begun with.
    case reconfigured
  }
  /// Why it ended, where that is no failure.
  enum End: Sendable { case reconfigured, finished }
  /// What is stored, in order.
  enum Keepsake: Sendable {
    case change(PolarRecord.Change)
    case job(TakenJob)
    /// The end of a job, and whose it was.
    case end(JobEnd, serialNumber: String?)
  }
  /// A job that was taken on.
  struct TakenJob: Sendable {
    var order: PrintOrder
    var job: CloudJob
    var abort: AbortSwitch
    var contact: CommandContact
  }
  /// So long a report that is under way is waited for before the connection is closed.
  static let lastWait = Duration.seconds(1)
  /// What comes so soon behind the greeting has lain at the cloud while we were away.
  static let backlog = Duration.seconds(3)

  let configuration: PolarConfiguration
  let store: PolarStore
  let desk: PolarDesk
  let context: BackendContext

  /// Serves the cloud until cancelled, until the record changes, or, with `isOnce`, until one status has gone.
  ///
  /// - Throws: `BackendFailure` (park) when nothing goes on by itself; `CancellationError`.
  func run(isOnce: Bool) async throws -> End {
    let rules = rules(isOnce: isOnce)
    // A PIN that was entered on the page is forgotten with the refusal: without one, nothing else is tried either.
    let isSame = store.record.block?.credentials == rules.credentials
    let canTry = rules.canRegister || store.record.serialNumber != nil
    if let block = store.record.block, isSame || !canTry {
      throw BackendFailure(.park, block.problem, remedy: block.remedy)
    }
    let key = try await PolarKey(store)
    let (letters, mailbox) = AsyncStream.makeStream(of: Letter.self)
    desk.open(mailbox)
    defer { desk.close() }
    let runner = JobRunner(configuration: configuration, store: store, context: context)
    defer { runner.abortDownloads() }
    // A child that is cancelled by it can throw before it, and would take its place.
    let reason = Guarded(Result<End, BackendFailure>?.none)
    do {
      try await withThrowingDiscardingTaskGroup { group in
        try await serve(letters, mailbox, rules, key, runner, reason, &group)
      }
    } catch {
      if let reason = reason.withLock({ $0 }) { return try reason.get() }
      throw error
    }
    throw CancellationError()
  }

  private func serve(
    _ letters: AsyncStream<Letter>, _ mailbox: AsyncStream<Letter>.Continuation,
    _ rules: PolarSession.Rules, _ key: PolarKey, _ runner: JobRunner,
    _ reason: Guarded<Result<End, BackendFailure>?>,
    _ group: inout ThrowingDiscardingTaskGroup<any Error>
  ) async throws {
    let (keepsakes, keeper) = AsyncStream.makeStream(of: Keepsake.self)
    let (verdicts, postbox) = AsyncStream.makeStream(of: OutboxVerdict.self)
    let loader = PictureLoader(configuration: configuration, context: context)
    var session = PolarSession(
      store.record, rules: rules,
      images: ImageDesk(
        isOn: configuration.webcamEnabled && !rules.isOnce,
        printingInterval: configuration.printingImageInterval,
        idleInterval: configuration.idleImageInterval),
      reading: reading(), now: context.time.now)
    var key = key
    var connection: SocketIOConnection?
    var greeting: Greeting?
    var outgoing: AsyncStream<PolarLink.Outgoing>.Continuation?
    var contacts = Contacts(context: context)
    var alarms: [MonotonicInstant] = []
    let inflow = Inflow()
    let limit = CommandLimit()
    // It ends then, or as soon as nothing is under way to the cloud.
    var leavesBy: MonotonicInstant?
    // A connection that is due waits for the key that is being made.
    var (isMakingKey, isConnectionDue) = (false, false)
    group.addTask { await watchPrinter(mailbox) }
    group.addTask { await watchJobs(mailbox) }
    group.addTask { await keep(keepsakes, mailbox) }
    group.addTask { try await deliver(verdicts, mailbox) }
    mailbox.yield(.session(.tick))
    for await letter in letters {
      let now = context.time.now
      alarms.removeAll { $0 <= now }
      var event = PolarSession.Event.tick
      var contact: CommandContact?
      switch letter {
      case .session(let said):
        event = said
        if case .ended = said {
          connection = nil
          outgoing = nil
          contacts.disconnected()
        }
      case .opened(let opened, let said, let way):
        (connection, greeting, outgoing) = (opened, said, way)
        session.images.isOn = configuration.webcamEnabled && said.hasCamera && !rules.isOnce
        event = .opened
      case .received(let received):
        inflow.leave()
        if leavesBy != nil { continue }
        if configuration.isVerbose { context.log(.info, "received \(received.name.logged)") }
        let said = CloudEvent(
          received.name, received.payload, serialNumber: session.serialNumber)
        contact = contacts.heard(said, at: now)
        event = .received(said)
      case .begin(let taken):
        group.addTask {
          let outcome = await runner.start(
            taken.order, taken.job, taken.abort, in: taken.contact)
          mailbox.yield(.session(.printEnded(jobID: taken.job.id, outcome)))
        }
      case .key(let new):
        (key, isMakingKey) = (new, false)
        if isConnectionDue { connect(mailbox, inflow, &group) }
        isConnectionDue = false
      case .reconfigured:
        reason.withLock { $0 = .success(.reconfigured) }
        leavesBy = leavesBy ?? now.advanced(by: Self.lastWait)
        session.isEnding = true
        runner.abortDownloads()
      }
      contacts.lives(connection?.lastHeard, at: now)
      let actions = session.handle(
        event, reading: reading(), contact: contact, heard: connection?.lastHeard, now: now)
      desk.show(session.phase, at: context.time.wallTime)
      for action in actions {
        switch action {
        case .connect:
          if isMakingKey { isConnectionDue = true } else { connect(mailbox, inflow, &group) }
        case .close:
          if let outgoing { outgoing.finish() }
        case .register:
          guard let greeting, let publicKey = key.publicPEM, let email = configuration.username,
            let pin = configuration.pin
          else { break }
          send(
            "register", greeting.register(email: email, pin: pin, publicKey: publicKey), outgoing)
        case .greet(let challenge):
          guard let greeting, let serial = session.serialNumber,
            let signature = key.signature(of: challenge)
          else { break }
          send("hello", greeting.hello(serialNumber: serial, signature: signature), outgoing)
        case .emit(let name, let body): send(name, body, outgoing)
        case .store(let change):
          store.note(change)
          keeper.yield(.change(change))
        case .owe(let end):
          keeper.yield(.end(end, serialNumber: session.serialNumber))
        case .renewKey:
          isMakingKey = true
          group.addTask { mailbox.yield(.key(try await PolarKey.renew(store))) }
        case .print(let order, let job, let contact):
          // Behind the end of the job before, which would else be overwritten. A cancel finds its switch from now on.
          keeper.yield(
            .job(
              TakenJob(order: order, job: job, abort: runner.takeOn(), contact: contact)))
        case .abortDownload: runner.abortDownloads()
        case .lookBack(let job):
          group.addTask {
            mailbox.yield(.session(.history(jobID: job.id, await runner.past(job))))
          }
        case .command(let command, let contact):
          guard limit.begin(command) else {
            if let line = limit.refusal(of: command) { context.log(.warning, line) }
            break
          }
          group.addTask {
            await execute(command, contact, runner, mailbox)
            limit.end(command)
          }
        case .refuse(_, let failure, _, nil): runner.note(failure)
        case .refuse(let order, let failure, let contact, let end?):
          let owed = end.owed(session.serialNumber)
          group.addTask {
            await runner.refuse(order, failure, owed, in: contact)
            mailbox.yield(.session(.reportKept(jobID: end.jobID)))
          }
        case .settle(let verdict): postbox.yield(verdict)
        case .upload(let form, let kind):
          group.addTask { mailbox.yield(.session(.uploaded(kind, await loader.upload(form)))) }
        case .tidy: group.addTask { await runner.tidy() }
        case .report(let health): context.report(health)
        case .log(let level, let line): context.log(level, line)
        case .park(let problem, let remedy):
          // It says why, also after a restart.
          try? await store.save()
          let action: BackendFailure.Action = rules.isOnce ? .retry(after: nil) : .park
          reason.withLock { $0 = .failure(BackendFailure(action, problem, remedy: remedy)) }
          throw CancellationError()
        case .finish:
          reason.withLock { $0 = .success(.finished) }
          throw CancellationError()
        }
      }
      if let leavesBy, !session.isReporting || leavesBy <= now {
        outgoing?.finish()
        throw CancellationError()
      }
      let due = [session.nextDue(now), leavesBy].compactMap { $0 }.min()
      if let due, alarms.allSatisfy({ $0 > due }) {
        alarms.append(due)
        group.addTask {
          try await context.time.sleep(until: due)
          mailbox.yield(.session(.tick))
        }
      }
    }
    throw CancellationError()
  }
}
