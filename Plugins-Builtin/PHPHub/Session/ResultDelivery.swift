internal import ConnectorKit
internal import JSON
internal import Platform

/// Brings results from the outbox onto the board, from where updates tell them: in order, and not before there is room.
struct ResultDelivery: Sendable {
  let context: BackendContext
  let memory: HubMemory
  let statistics: StatisticsKeeper
  /// Whether the hub is told at all.
  let isWanted: Bool
  /// Sent when there is room again.
  let room = Nudge()

  /// Until cancelled.
  func run() async throws {
    let waiter = room.waiter(context.time)
    while true {
      let entry = try await context.outbox.oldest()
      while isWanted, !memory.contents.board.hasRoom {
        try await waiter.wait(until: context.time.now.advanced(by: .seconds(3_600)))
      }
      await take(entry)
    }
  }

  /// What is owed by now, as far as there is room; for a single round.
  func runOnce() async {
    while !isWanted || memory.contents.board.hasRoom, let entry = await context.outbox.peek() {
      await take(entry)
    }
  }

  private func take(_ entry: OutboxEntry) async {
    let report = entry.item.body
    statistics.count { $0.ended(report) }
    if isWanted {
      memory.change { $0.board.put(report) }
      // On the disk before it leaves the outbox.
      await memory.save()
    }
    await context.outbox.settle(entry, .accept)
  }
}
