internal import ConnectorKit
internal import JSON
internal import Platform

/// Follows what changes at the printer without anybody asking: its queue, and jobs that others start. No request to Moonraker
/// while nothing changes.
struct JobFollower: Sendable {
  private struct News: Sendable, Hashable {
    var queue: UInt64
    var isConnected: Bool
    var isReachable: Bool
    var state: String?
    var filename: String
    init(_ status: PrinterStatus) {
      queue = status.queueRevision
      isConnected = status.link == .connected
      let reading = PrinterReading(status)
      isReachable = reading.isReachable
      state = reading.state
      filename = reading.filename
    }
  }
  /// How often the history is asked for a job that has just begun.
  private static let tries = 3
  let hub: CuraHub

  /// Until cancelled.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    let desk = JobDesk(hub: hub)
    var queue: UInt64?
    for await status in hub.context.status.snapshots(changing: { News($0) }) {
      let news = News(status)
      if news.isConnected, queue != news.queue {
        let isFirst = queue == nil
        queue = news.queue
        await desk.refreshQueue(isFirst: isFirst)
      }
      if !news.isConnected {
        queue = nil
        hub.change { $0.loseQueue() }
      }
      if news.isConnected { await desk.clearSpent(hub.spentTickets) }
      if hub.wantsIdentity { hub.work.add { await identify(desk) } }
      hub.changed.send()
    }
    throw CancellationError()
  }

  /// Gives somebody else's job the UUID that belongs to its entry in Moonraker's history, so that it keeps it over a restart.
  private func identify(_ desk: JobDesk) async {
    let (uuid, filename) = (hub.identity.printerUUID, hub.reading.filename)
    for attempt in 1...Self.tries {
      let outcome = await desk.submit(.history(limit: 1), wireName: "history")
      let job = outcome.details?["jobs"]?.array?.first
      if let job, job["filename"]?.string == filename, job["status"]?.string == "in_progress",
        let id = job["job_id"]?.string
      {
        hub.change { $0.identify(GUIDText.derived(from: uuid, "history", id)) }
        return
      }
      guard attempt < Self.tries else { break }
      guard (try? await hub.context.time.sleep(for: .seconds(1))) != nil else { return }
    }
    let start = hub.context.time.wallTime.rfc3339Seconds
    hub.change { $0.identify(GUIDText.derived(from: uuid, filename, start)) }
  }
}
