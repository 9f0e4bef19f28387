internal import ConnectorKit
internal import JSON

/// Moonraker's job queue, as one of its answers tells it.
struct QueueStatus: Sendable, Hashable {
  /// Its jobs, in order; those that cannot be printed are left out.
  var entries: [QueueEntry]
  /// Whether these are all of its jobs.
  var isWhole: Bool
  /// The most that are looked at.
  static let most = 100

  /// Reads an answer of `server.job_queue.*`; nil where it is none.
  init?(_ answer: JSONValue?) {
    guard let jobs = answer?["queued_jobs"]?.array else { return nil }
    entries = jobs.prefix(Self.most).compactMap { job in
      guard let name = job["filename"]?.string, let path = GCodePath(name),
        let id = job["job_id"]?.string, (1...64).contains(id.utf8.count)
      else { return nil }
      let ticket = QueueTicket(jobID: id, timeAdded: job["time_added"]?.double ?? 0)
      return QueueEntry(ticket: ticket, path: path)
    }
    isWhole = entries.count == jobs.count
  }
}
