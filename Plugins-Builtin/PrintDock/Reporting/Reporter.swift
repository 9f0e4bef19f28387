internal import ConnectorKit
internal import Platform

/// Tells PrintDock how the printer is: heartbeats and snapshots.
struct Reporter: Sendable {
  let session: Session
  let desk: SnapshotDesk
  let startedAt: MonotonicInstant
  let heartbeatInterval: Duration

  /// How long the first heartbeat waits for the printer to be there: just started, we may not have heard of it yet.
  static let grace = Duration.milliseconds(250)

  private var context: BackendContext { session.context }

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

  /// Waits up to five seconds for a printer that can be reported.
  ///
  /// - Throws: `CancellationError`.
  func awaitPrinter() async throws {
    let events = context.status.events()
    let nudge = Nudge()
    let waiter = nudge.waiter(context.time)
    let deadline = context.time.now.advanced(by: .seconds(5))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await watch(events, nudge) }
      while session.reportable == nil && context.time.now < deadline {
        let recheck = context.time.now.advanced(by: .milliseconds(250))
        try await waiter.wait(until: min(deadline, recheck))
      }
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  /// One snapshot.
  ///
  /// - Throws: `CloudError`, `BackendFailure` when there is nothing to show.
  func showOnce() async throws {
    guard let status = session.reportable, try await desk.sendOnce(status) else {
      throw BackendFailure(
        .retry(after: nil), "the printer cannot be reported: \(session.absence)",
        remedy: "check `moonraker` under `printer`, and the printer itself")
    }
  }

  // MARK: Heartbeat

  /// One heartbeat.
  ///
  /// - Throws: `CloudError`, `CancellationError`.
  func sendHeartbeat() async throws {
    let body = HeartbeatEncoder.body(
      uptime: startedAt.duration(to: context.time.now), printerID: session.identity.printerID,
      isReachable: session.isReachable)
    try await session.client.heartbeat(body, as: session.identity)
  }

  private func beat(_ waiter: Nudge.Waiter, _ nudge: Nudge) async throws {
    if !session.isReachable {
      try await waiter.wait(until: context.time.now.advanced(by: Self.grace))
    }
    var schedule = CallSchedule(interval: heartbeatInterval)
    while true {
      let start = context.time.now
      let error = try await session.failure { try await sendHeartbeat() }
      let wasRefused = session.standing.probe != nil
      let next = schedule.next(
        after: start, endedAt: context.time.now, error: error, isRefused: wasRefused,
        random: context.random())
      session.standing.ended(.heartbeat, error: error, probe: next)
      if wasRefused && error == nil {
        nudge.send()
        session.admission.send()
      }
      try await context.time.sleep(until: next)
      // Other calls may have been refused meanwhile.
      while let probe = session.standing.probe, context.time.now < probe {
        try await context.time.sleep(until: probe)
      }
    }
  }

  // MARK: Snapshots

  private func push(_ waiter: Nudge.Waiter) async throws {
    while true {
      if session.standing.probe != nil {
        try await waiter.wait(until: context.time.now.advanced(by: .seconds(3_600)))
        desk.resume()
        continue
      }
      let status = session.reportable
      switch desk.decide(state: status?.printState) {
      case .wait(let deadline): try await waiter.wait(until: deadline)
      case .send:
        guard let status, try await desk.send(status) else {
          try await waiter.wait(until: context.time.now.advanced(by: SnapshotSchedule.recheck))
          continue
        }
      }
    }
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
}
