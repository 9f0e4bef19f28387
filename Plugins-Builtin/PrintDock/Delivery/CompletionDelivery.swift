internal import ConnectorKit
internal import JSON
internal import Platform

/// Brings PrintDock the results that it is owed: in order, until it has taken each or will never take it.
struct CompletionDelivery: Sendable {
  let session: Session
  let desk: SnapshotDesk

  private var context: BackendContext { session.context }

  /// Until cancelled.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    let waiter = session.admission.waiter(context.time)
    var backoff = ExponentialBackoff(.printDock)
    var parcel: Parcel?
    while true {
      let entry = try await context.outbox.oldest()
      try await session.admitted(waiter)
      // The same entry again: what has been found out about it at the first attempt still counts.
      var next = Parcel(entry)
      if let parcel, parcel.number == entry.number { next = parcel }
      if !next.isPrepared { try await prepare(&next, entry) }
      let error = try await attempt(&next, entry)
      parcel = next
      session.ended(.completion, error)
      guard let error, error.kind != .unauthorized else {
        backoff.succeeded()
        continue
      }
      let wait = backoff.failed(random: context.random(), retryAfter: error.retryAfter)
      try await context.time.sleep(for: wait)
    }
  }

  /// Brings all that is owed now, each once.
  ///
  /// - Throws: `CloudError` of the first that could not be brought, `CancellationError`.
  func runOnce() async throws {
    while let entry = await context.outbox.peek() {
      var parcel = Parcel(entry)
      try await prepare(&parcel, entry)
      if let error = try await attempt(&parcel, entry) { throw error }
    }
  }

  /// One attempt; nil where the entry has left the outbox.
  private func attempt(_ parcel: inout Parcel, _ entry: OutboxEntry) async throws -> CloudError? {
    while true {
      let body = JSONValue.object(parcel.body).serialized()
      let error = try await session.failure {
        try await session.client.complete(entry.item.key, body, as: session.identity)
      }
      guard let error else {
        await context.outbox.settle(entry, .accept)
        return nil
      }
      if error.status == 413, let shorter = Completion.shortened(parcel.body) {
        parcel.body = shorter
        continue
      }
      guard error.endsItem else {
        await context.outbox.settle(entry, .keep)
        return error
      }
      context.log(
        .warning,
        "the result of command \(entry.item.key.printable) is dropped: \(error.problem)")
      await context.outbox.settle(entry, .reject(error.problem))
      return nil
    }
  }

  // MARK: The snapshot before it

  /// Shows PrintDock the printer as it is after a success, before it hears of the success.
  private func prepare(_ parcel: inout Parcel, _ entry: OutboxEntry) async throws {
    parcel.isPrepared = true
    guard parcel.body["status"] == "succeeded", var result = parcel.body["result"]?.object,
      result["post_snapshot"] == nil, result["post_snapshot_error"] == nil
    else { return }
    if !entry.isFresh {
      result["post_snapshot_error"] = "the result was kept over a restart"
    } else {
      if let action = result["action"]?.string { try await settle(after: action) }
      if let status = session.reportable {
        if !desk.isHeld { try await desk.send(status) }
        result["post_snapshot"] = "captured"
      } else {
        result["post_snapshot_error"] = .string(session.absence)
      }
    }
    parcel.body["result"] = .object(result)
    // Kept so: should PrintDock not answer, it is told the same again, whatever happens to us in between.
    var item = entry.item
    item.body = parcel.body
    await context.outbox.put(item)
  }

  /// Waits until the printer shows what a command did, at most a second: Klipper tells four times a second what has
  /// changed, so that after this time nothing is still to come.
  private func settle(after action: String) async throws {
    guard CommandTask.stateChanging.contains(action) else { return }
    let deadline = context.time.now.advanced(by: .seconds(1))
    let updates = context.status.snapshots(changing: { status in
      ["print_stats", "pause_resume", "toolhead"].map { status.objects[$0] }
    })
    await withTaskGroup(of: Void.self) { group in
      group.addTask { [time = context.time] in try? await time.sleep(until: deadline) }
      group.addTask {
        // The first is what is known already; without a state to wait for, the next one will do.
        guard let known = await updates.next(), !Self.shows(action, known) else { return }
        while let update = await updates.next() {
          if Self.shows(action, update) || action == "homing" { return }
        }
      }
      await group.next()
      group.cancelAll()
    }
    try Task.checkCancellation()
  }

  /// Whether the printer's state is the one that an action leads to.
  private static func shows(_ action: String, _ status: PrinterStatus) -> Bool {
    switch action {
    case "pause": status.printState == "paused"
    case "resume", "start_print": status.printState == "printing"
    case "cancel": status.printState == "cancelled" || status.printState == "standby"
    default: false
    }
  }
}

extension CompletionDelivery {
  /// An entry on its way, with what has been found out about it.
  private struct Parcel {
    var number: Int64
    var body: JSONObject
    var isPrepared = false

    init(_ entry: OutboxEntry) {
      number = entry.number
      body = entry.item.body
    }
  }
}

extension CloudError {
  /// Whether PrintDock will never take this result: the command is gone, has been answered, or the answer is not liked.
  fileprivate var endsItem: Bool {
    switch kind {
    case .unknown, .rejected: true
    case .unauthorized, .busy, .redirected, .notPrintDock, .unreachable: false
    }
  }
}
