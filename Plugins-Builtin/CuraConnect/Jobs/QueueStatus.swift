internal import ConnectorKit
internal import JSON

/// Moonraker's job queue, as one of its answers tells it.
struct QueueStatus: Sendable, Hashable {
  /// Its jobs, in order.
  var entries: [QueueEntry] = []
  /// Places of jobs whose files' names cannot be held.
  var unnamed: [QueueTicket] = []
  /// The most jobs that may wait, and the most of others' that are listed.
  static let most = 100

  /// Reads an answer of `server.job_queue.*`; nil where it is none.
  init?(_ answer: JSONValue?) {
    guard let jobs = answer?["queued_jobs"]?.array else { return nil }
    for job in jobs {
      guard let id = job["job_id"]?.string, (1...64).contains(id.utf8.count) else { continue }
      let ticket = QueueTicket(jobID: id, timeAdded: job["time_added"]?.double ?? 0)
      if let path = job["filename"]?.string.flatMap({ GCodePath($0) }) {
        entries.append(QueueEntry(ticket: ticket, path: path))
      } else {
        unnamed.append(ticket)
      }
    }
  }

  /// Whether a job still has this place: Moonraker gives the ids of those that are gone to new ones.
  func holds(_ ticket: QueueTicket) -> Bool {
    entries.contains { $0.ticket == ticket } || unnamed.contains(ticket)
  }
}
