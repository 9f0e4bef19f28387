internal import ConnectorKit
internal import JSON
internal import Platform

/// Brings PrintDock the results that it is owed: in order, until it has taken each or will never take it.
struct CompletionDelivery: Sendable {
  let session: Session
  let desk: SnapshotDesk
  let due: DueSnapshots

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
      // The same entry again: where it was too large at the first attempt, it still is.
      var next = Parcel(entry)
      if let parcel, parcel.number == entry.number { next = parcel }
      try await show(before: entry)
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
      try await show(before: entry)
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

  /// Shows PrintDock the printer as it is after a success, before it hears of the success; not for a result that it may
  /// have heard already.
  private func show(before entry: OutboxEntry) async throws {
    guard due.take(entry.item.key) else { return }
    if let action = entry.item.body["result"]?["action"]?.string { try await settle(after: action) }
    guard let status = session.reportable, !desk.isHeld else { return }
    try await desk.send(status)
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
  /// An entry on its way, shortened where it was too large.
  private struct Parcel {
    var number: Int64
    var body: JSONObject

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
