internal import ConnectorKit
internal import JSON
internal import Platform

/// Jobs of ours as they are kept over a restart: what Moonraker's queue and the printer know of them carries no UUID.
enum JobStorage {
  /// What is kept of the book's jobs.
  static func stored(_ book: JobBook) -> JSONValue {
    let jobs = [book.active].compactMap(\.self) + book.waiting
    return .array(jobs.filter { !$0.isForeign }.compactMap(stored))
  }

  private static func stored(_ job: CuraJob) -> JSONValue? {
    guard let uuid = job.uuid else { return nil }
    var object: JSONObject = [
      "uuid": .string(uuid), "name": .string(job.name), "owner": .string(job.owner),
      "created_ms": .integer(job.createdAt.millisecondsSinceEpoch),
      "forced": .bool(job.isForced), "griffin": .bool(job.isGriffin),
    ]
    object["path"] = job.path.map { .string($0.text) }
    object["estimate"] = job.estimate.map { .integer($0) }
    switch job.phase {
    case .starting: object["starts"] = true
    case .queued(let ticket):
      object["job_id"] = .string(ticket.jobID)
      object["time_added"] = .double(ticket.timeAdded)
    case .running: object["runs"] = true
    case .coming: object["coming"] = true
    case .failed(let reason): object["failed"] = .string(reason)
    case .popped, .ended: return nil
    }
    return .object(object)
  }

  /// What is kept of the places in the queue that are used up.
  static func storedTickets(_ book: JobBook) -> JSONValue {
    .array(book.spent.map { [.string($0.jobID), .double($0.timeAdded)] })
  }

  /// The places in the queue in what was kept.
  static func tickets(_ stored: JSONValue?) -> [QueueTicket] {
    (stored?.array ?? []).prefix(QueueStatus.most).compactMap { stored in
      guard let parts = stored.array, parts.count == 2, let id = parts[0].string,
        let time = parts[1].double
      else { return nil }
      return QueueTicket(jobID: id, timeAdded: time)
    }
  }

  /// The jobs in what was kept.
  static func jobs(_ stored: JSONValue?) -> [CuraJob] {
    (stored?.array ?? []).prefix(2 * QueueStatus.most).compactMap(job)
  }

  private static func job(_ stored: JSONValue) -> CuraJob? {
    guard let uuid = stored["uuid"]?.string.flatMap(GUIDText.normalized),
      let name = stored["name"]?.string
    else { return nil }
    let path = stored["path"]?.string.flatMap { GCodePath($0) }
    let phase: CuraJob.Phase
    if let reason = stored["failed"]?.string {
      phase = .failed(reason)
    } else if let id = stored["job_id"]?.string, let time = stored["time_added"]?.double {
      phase = .queued(QueueTicket(jobID: id, timeAdded: time))
    } else if stored["runs"]?.bool == true {
      phase = .running(nil)
    } else if stored["starts"]?.bool == true {
      phase = .starting(since: MonotonicInstant(sinceOrigin: .zero))
    } else {
      phase = .coming
    }
    var job = CuraJob(
      uuid: uuid, name: name, path: path, owner: stored["owner"]?.string ?? "",
      createdAt: WallTime(millisecondsSinceEpoch: stored["created_ms"]?.integer ?? 0), phase: phase)
    if case .failed(let reason) = phase { job.notice = reason }
    job.isForced = stored["forced"]?.bool ?? false
    job.isGriffin = stored["griffin"]?.bool ?? false
    job.estimate = stored["estimate"]?.integer.flatMap { Int(exactly: $0) }
    return job
  }
}
