internal import ConnectorKit
internal import JSON
internal import Platform

/// Runs a session: carries events to it and its actions out. Everything it starts ends with it.
struct SessionLoop {
  let client: RelayClient
  let configuration: ReachConfiguration
  let context: BackendContext
  let startedAt: MonotonicInstant

  /// Serves the relay as `identity` until cancelled.
  ///
  /// - Throws: `BackendFailure` (park) when the token is revoked or the relay ends this connector; `CancellationError`.
  func run(as identity: ReachIdentity) async throws {
    let (events, mailbox) = AsyncStream.makeStream(of: RelaySession.Event.self)
    let runner = CommandRunner(context: context)
    let commands = CommandCounter(mailbox: mailbox, runner: runner)
    // A child that is cancelled by it can throw before it, and would take its place.
    let reason = Guarded(BackendFailure?.none)
    do {
      try await run(as: identity, events, mailbox, commands, runner, reason)
    } catch {
      await commands.close()
      throw reason.withLock { $0 } ?? error
    }
  }

  private func run(
    as identity: ReachIdentity, _ events: AsyncStream<RelaySession.Event>,
    _ mailbox: AsyncStream<RelaySession.Event>.Continuation, _ commands: CommandCounter,
    _ runner: CommandRunner, _ reason: Guarded<BackendFailure?>
  ) async throws {
    let (saves, store) = AsyncStream.makeStream(of: ReachIdentity.self)
    let (verdicts, postbox) = AsyncStream.makeStream(of: OutboxVerdict.self)
    var status = context.status.trusted(at: context.time.now)
    var session = RelaySession(
      identity, rules: rules, reading: PrinterReading(status), now: context.time.now)
    var ledger = ErrorLedger()
    let sideWork = SideWork(
      configuration, client: client, printerID: identity.printerID, context: context,
      hold: { mailbox.yield(.asked(toWait: $0)) })
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { await watchPrinter(mailbox) }
      group.addTask { try await deliver(runner, verdicts, mailbox) }
      // One after the other: the newest identity is the one that stays on the disk.
      group.addTask { for await identity in saves { await save(identity, mailbox) } }
      sideWork.start(in: &group)
      // Alarms that are set; one that nobody needs any more rings for nothing.
      var alarms: [MonotonicInstant] = []
      mailbox.yield(.tick)
      for await event in events {
        let now = context.time.now
        let contact = event.isAnswerToPull ? context.commands.contact() : nil
        alarms.removeAll { $0 <= now }
        status = context.status.trusted(at: now)
        let errors = ledger.entries(status, now: now, wallTime: context.time.wallTime)
        let actions = session.handle(event, reading: PrinterReading(status), now: now)
        sideWork.show(session)
        for action in actions {
          switch action {
          case .send(let call):
            let body = body(of: call, status, session, errors)
            let printerID = session.identity.printerID
            if call.endpoint == .telemetry, let body { sideWork.tell(body) }
            group.addTask {
              let answer =
                if let body {
                  try await client.post(call.endpoint, body, token: call.token)
                } else { try await heartbeat(printerID: printerID, token: call.token) }
              mailbox.yield(.answered(call, answer))
            }
          case .pulled(let pulled):
            guard let contact else { break }
            commands.take(pulled, contact, &group)
          case .settle(let verdict): postbox.yield(verdict)
          case .save(let identity):
            store.yield(identity)
          case .report(let health): context.report(health)
          case .confirm(let duration): context.confirm(duration)
          case .log(let level, let message): context.log(level, message)
          case .park(let problem, let remedy):
            try park(BackendFailure(.park, problem, remedy: remedy), reason)
          case .forget(let problem, let remedy):
            try await context.identity.remove()
            try park(BackendFailure(.park, problem, remedy: remedy), reason)
          }
        }
        if let due = session.nextDue(now), alarms.allSatisfy({ $0 > due }) {
          alarms.append(due)
          group.addTask {
            try await context.time.sleep(until: due)
            mailbox.yield(.tick)
          }
        }
      }
      throw CancellationError()
    }
  }

  private func park(
    _ failure: BackendFailure, _ reason: Guarded<BackendFailure?>
  ) throws(BackendFailure) {
    reason.withLock { $0 = failure }
    throw failure
  }

  /// Sends one heartbeat.
  func heartbeat(
    printerID: String, token: Secret
  ) async throws(CancellationError) -> RelayAnswer {
    let address = await LocalAddress.find(configured: configuration.printerIP, relay: client.relay)
    let body = RelayBodies.heartbeat(
      printerID: printerID, token: token, at: context.time.wallTime,
      uptime: startedAt.duration(to: context.time.now), agentVersion: configuration.agentVersion,
      localAddress: address)
    return try await client.post(RelayEndpoint.heartbeat.path, body, token: token)
  }

  /// The body of a report.
  func report(
    _ status: PrinterStatus, printerID: String, token: Secret, errors: [JSONValue]
  ) -> JSONObject {
    TelemetryBody(
      printerID: printerID, token: token, chamber: configuration.chamber,
      errors: configuration.reportsErrors ? errors : [],
      messages: status.messages(notOlderThan: Self.worth, at: context.time.now)
    ).json(status, at: context.time.wallTime)
  }

  /// What a call carries; nil for a heartbeat, for which this host's address is asked first.
  private func body(
    of call: RelayCall, _ status: PrinterStatus, _ session: RelaySession, _ errors: [JSONValue]
  ) -> JSONObject? {
    let printerID = session.identity.printerID
    return switch call.endpoint {
    case .heartbeat: nil
    case .telemetry: report(status, printerID: printerID, token: call.token, errors: errors)
    case .pull: RelayBodies.pull(printerID: printerID)
    case .push: RelayBodies.push(printerID: printerID, session.owed?.body ?? JSONObject())
    }
  }

  /// Shows the session the results that are owed, one after the other, and settles them as it says.
  private func deliver(
    _ runner: CommandRunner, _ verdicts: AsyncStream<OutboxVerdict>,
    _ mailbox: AsyncStream<RelaySession.Event>.Continuation
  ) async throws {
    var verdicts = verdicts.makeAsyncIterator()
    while true {
      let entry = try await context.outbox.oldest()
      let left = Self.worth - runner.age(of: entry)
      mailbox.yield(
        .owed(
          RelaySession.OwedResult(
            id: entry.item.body["requestId"]?.string ?? entry.item.key, body: entry.item.body,
            expiresAt: context.time.now.advanced(by: left))))
      guard let verdict = await verdicts.next() else { throw CancellationError() }
      await context.outbox.settle(entry, verdict)
      runner.settled(entry)
      mailbox.yield(.settled)
    }
  }

  /// So long a result is worth sending, and a message stays in the reports.
  static let worth = Duration.seconds(600)

  private var rules: RelaySession.Rules {
    RelaySession.Rules(
      heartbeatInterval: configuration.heartbeatInterval,
      telemetryInterval: configuration.telemetryInterval,
      telemetryIdleInterval: configuration.telemetryIdleInterval, host: client.relay.host,
      random: context.random)
  }

  /// Wakes the session when a snapshot reads otherwise than the one before: most do not.
  private func watchPrinter(_ mailbox: AsyncStream<RelaySession.Event>.Continuation) async {
    for await _ in context.status.snapshots(changing: { PrinterReading($0) }) {
      mailbox.yield(.tick)
    }
  }

  private func save(
    _ identity: ReachIdentity, _ mailbox: AsyncStream<RelaySession.Event>.Continuation
  ) async {
    do {
      try await context.identity.save(identity.json)
      mailbox.yield(.saved(identity))
    } catch {
      mailbox.yield(.saveFailed(identity, "\(error)"))
    }
  }
}

extension RelaySession.Event {
  /// Whether the relay has answered a pull, with or without a command.
  fileprivate var isAnswerToPull: Bool {
    if case .answered(let call, .accepted) = self { call.endpoint == .pull } else { false }
  }
}
