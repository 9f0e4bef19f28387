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
  /// - Throws: `BackendFailure` (park) when the token is revoked; `CancellationError`.
  func run(as identity: ReachIdentity) async throws {
    let (events, mailbox) = AsyncStream.makeStream(of: RelaySession.Event.self)
    let (saves, store) = AsyncStream.makeStream(of: ReachIdentity.self)
    var status = context.status.trusted(at: context.time.now)
    var session = RelaySession(
      identity, rules: rules, reading: PrinterReading(status), now: context.time.now)
    var ledger = ErrorLedger()
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { await watchPrinter(mailbox) }
      // One after the other: the newest identity is the one that stays on the disk.
      group.addTask { for await identity in saves { await save(identity, mailbox) } }
      // Alarms that are set; one that nobody needs any more rings for nothing.
      var alarms: [MonotonicInstant] = []
      mailbox.yield(.tick)
      for await event in events {
        let now = context.time.now
        alarms.removeAll { $0 <= now }
        status = context.status.trusted(at: now)
        let errors = ledger.entries(status, now: now, wallTime: context.time.wallTime)
        let actions = session.handle(event, reading: PrinterReading(status), now: now)
        for action in actions {
          switch action {
          case .send(let call):
            let report = report(status, session.identity, call, errors)
            let printerID = session.identity.printerID
            group.addTask {
              let answer =
                if let report {
                  try await client.post(call.endpoint.path, report, token: call.token)
                } else { try await heartbeat(printerID: printerID, token: call.token) }
              mailbox.yield(.answered(call, answer))
            }
          case .save(let identity):
            store.yield(identity)
          case .report(let health): context.report(health)
          case .log(let level, let message): context.log(level, message)
          case .park(let problem, let remedy):
            throw BackendFailure(.park, problem, remedy: remedy)
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
      errors: configuration.reportsErrors ? errors : []
    ).json(status, at: context.time.wallTime)
  }

  private func report(
    _ status: PrinterStatus, _ identity: ReachIdentity, _ call: RelayCall, _ errors: [JSONValue]
  ) -> JSONObject? {
    guard call.endpoint == .telemetry else { return nil }
    return report(status, printerID: identity.printerID, token: call.token, errors: errors)
  }

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
