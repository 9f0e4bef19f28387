internal import ConnectorKit
internal import Platform

/// Tells PrintDock how the printer is: the two loops of a paired connector.
struct Reporter: Sendable {
  let identity: Identity
  let client: CloudClient
  let context: BackendContext
  let standing: Standing
  let startedAt: MonotonicInstant
  let heartbeatInterval: Duration
  let snapshotInterval: Duration
  let hidesFilePath: Bool

  /// How long the first heartbeat waits for the printer to be there: just started, we may not have heard of it yet.
  static let grace = Duration.milliseconds(250)

  /// Reports until cancelled.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    // Before anything is sent, so that nothing that happens meanwhile is missed.
    let events = context.status.events()
    let nudge = Nudge()
    let early = nudge.waiter(context.time)
    let waiter = nudge.waiter(context.time)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await watch(events, nudge) }
      group.addTask { try await beat(early, nudge) }
      group.addTask { try await push(waiter) }
      try await group.waitForAll()
    }
  }

  /// One heartbeat and one snapshot.
  ///
  /// - Throws: `CloudError` of the first that failed, `BackendFailure` when there is nothing to show.
  func runOnce() async throws {
    let events = context.status.events()
    let nudge = Nudge()
    let waiter = nudge.waiter(context.time)
    let deadline = context.time.now.advanced(by: .seconds(5))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await watch(events, nudge) }
      while reportable == nil && context.time.now < deadline {
        let recheck = context.time.now.advanced(by: .milliseconds(250))
        try await waiter.wait(until: min(deadline, recheck))
      }
      group.cancelAll()
      try await group.waitForAll()
    }
    try await sendHeartbeat()
    guard let status = reportable, let body = snapshot(of: status) else {
      throw BackendFailure(
        .retry(after: nil), "the printer cannot be reported: \(absence)",
        remedy: "check `moonraker` under `printer`, and the printer itself")
    }
    try await client.snapshots(body, as: identity)
  }

  // MARK: Heartbeat

  private func beat(_ waiter: Nudge.Waiter, _ nudge: Nudge) async throws {
    if !isReachable { try await waiter.wait(until: context.time.now.advanced(by: Self.grace)) }
    var schedule = HeartbeatSchedule(interval: heartbeatInterval)
    while true {
      let start = context.time.now
      let error = try await failure { try await sendHeartbeat() }
      let wasRefused = standing.probe != nil
      let next = schedule.next(
        after: start, endedAt: context.time.now, error: error, isRefused: wasRefused,
        random: context.random())
      standing.ended(.heartbeat, error: error, probe: next)
      if wasRefused && error == nil { nudge.send() }
      try await context.time.sleep(until: next)
      // The snapshots may have been refused meanwhile.
      while let probe = standing.probe, context.time.now < probe {
        try await context.time.sleep(until: probe)
      }
    }
  }

  private func sendHeartbeat() async throws {
    let body = HeartbeatEncoder.body(
      uptime: startedAt.duration(to: context.time.now), printerID: identity.printerID,
      isReachable: isReachable)
    try await client.heartbeat(body, as: identity)
  }

  // MARK: Snapshots

  private func push(_ waiter: Nudge.Waiter) async throws {
    var schedule = SnapshotSchedule(
      interval: snapshotInterval, startingAt: context.time.now, random: context.random())
    while true {
      if standing.probe != nil {
        try await waiter.wait(until: context.time.now.advanced(by: .seconds(3_600)))
        schedule.resume()
        continue
      }
      let status = reportable
      switch schedule.decide(at: context.time.now, state: status?.printState) {
      case .wait(let deadline): try await waiter.wait(until: deadline)
      case .send:
        guard let status, let state = status.printState, let body = snapshot(of: status) else {
          try await waiter.wait(until: context.time.now.advanced(by: SnapshotSchedule.recheck))
          continue
        }
        let start = context.time.now
        let error = try await failure { try await client.snapshots(body, as: identity) }
        schedule.ended(
          state, startedAt: start, endedAt: context.time.now, error: error,
          random: context.random())
        let probe = HeartbeatSchedule.probeInterval.jittered(context.random())
        standing.ended(.snapshot, error: error, probe: context.time.now.advanced(by: probe))
      }
    }
  }

  private func snapshot(of status: PrinterStatus) -> [UInt8]? {
    SnapshotEncoder(printerID: identity.printerID, hidesFilePath: hidesFilePath)
      .body(of: status, at: context.time.now, wallTime: context.time.wallTime)
  }

  /// Wakes the snapshots when something happens that they may have to show.
  private func watch(_ events: Subscription<PrinterEvent>, _ nudge: Nudge) async {
    for await event in events {
      switch event {
      case .printState, .klippy, .link: nudge.send()
      case .job, .webcams: break
      }
    }
  }

  // MARK: The printer

  private var isReachable: Bool {
    Reachability.isReachable(
      context.status.current, lastHeard: context.status.lastHeard, at: context.time.now)
  }

  /// The printer's status, when it shows the printer as it is now.
  private var reportable: PrinterStatus? {
    let status = context.status.current
    return Reachability.isReportable(
      status, lastHeard: context.status.lastHeard, at: context.time.now) ? status : nil
  }

  private var absence: String {
    let status = context.status.current
    if status.link != .connected { return "Moonraker is not connected" }
    if !isReachable { return "Klippy is not connected to Moonraker" }
    return "Klippy has not told its state yet"
  }

  /// The cloud's error of `call`, nil when it went well.
  ///
  /// - Throws: `CancellationError`.
  private func failure(_ call: () async throws -> Void) async throws -> CloudError? {
    do {
      try await call()
      return nil
    } catch let error as CloudError {
      try Task.checkCancellation()
      return error
    }
  }
}
