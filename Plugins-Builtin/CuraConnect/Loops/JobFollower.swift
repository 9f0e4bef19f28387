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
  /// How often the history is asked for a job that has just begun, and the queue for what it holds.
  private static let tries = 3
  /// So long until the queue is asked again that did not tell.
  private static let pause = Duration.seconds(10)
  private static let part = "queue"
  let hub: CuraHub
  let standing: CuraStanding

  /// Until cancelled.
  ///
  /// - Throws: `CancellationError`.
  func run() async throws {
    let desk = JobDesk(hub: hub)
    var queue: UInt64?
    for await status in hub.context.status.snapshots(changing: { News($0) }) {
      let news = News(status)
      if news.isConnected, queue != news.queue {
        if queue == nil { hub.work.add { await judgeQueue() } }
        queue = news.queue
        await desk.refreshQueue()
        if !hub.isQueueSeen { hub.work.add { await learnQueue(desk) } }
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

  /// Says so where Moonraker starts queued jobs by itself: what has to wait is not taken then.
  private func judgeQueue() async {
    guard let options = try? await hub.context.queueTransition().options else { return }
    guard !options.isEmpty else { return standing.recovers(Self.part) }
    standing.suffers(
      Self.part,
      "a print that has to wait is not taken, as Moonraker would start it by itself, also onto an occupied bed (\(options.joined(separator: ", ")))",
      remedy: "set it to False in [job_queue] of moonraker.conf and restart Moonraker")
  }

  /// Asks for a queue that did not tell what it holds: before that nothing of it may start.
  private func learnQueue(_ desk: JobDesk) async {
    for _ in 0..<Self.tries {
      guard (try? await hub.context.time.sleep(for: Self.pause)) != nil, !hub.isQueueSeen else {
        return
      }
      await desk.refreshQueue()
    }
  }

  /// Gives somebody else's job the UUID that belongs to its entry in Moonraker's history, so that it keeps it over a restart.
  private func identify(_ desk: JobDesk) async {
    let (uuid, filename) = (hub.identity.printerUUID, hub.reading.filename)
    let start = hub.context.time.wallTime.rfc3339Seconds
    for attempt in 1...Self.tries {
      let outcome = await desk.submit(.history(limit: 1), wireName: "history")
      let job = outcome.details?["jobs"]?.array?.first
      if let job, job["filename"]?.string == filename, job["status"]?.string == "in_progress",
        let id = job["job_id"]?.string
      {
        give(GUIDText.derived(from: uuid, "history", id), toJobOf: filename)
        return
      }
      guard attempt < Self.tries else { break }
      guard (try? await hub.context.time.sleep(for: .seconds(1))) != nil else { return }
    }
    give(GUIDText.derived(from: uuid, filename, start), toJobOf: filename)
  }

  /// Another job may have begun meanwhile: it has its own.
  private func give(_ uuid: String, toJobOf filename: String) {
    hub.change { book in
      if book.active?.path?.text ?? filename == filename { book.identify(uuid) }
    }
  }
}
