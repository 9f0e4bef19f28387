internal import JSON
internal import Platform

/// A job's entry in Cura's list, as a value: two that are equal make the same bytes.
struct JobView: Sendable, Hashable {
  private var uuid: String
  private var name: String
  private var owner: String
  private var createdAt: WallTime
  private var word: String
  private var isStarted: Bool
  private var isAssigned: Bool
  private var isForced: Bool
  private var elapsed: Int
  private var total: Int
  private var isFailed: Bool

  /// The entry of a job; nil where it has no UUID yet.
  init?(_ job: CuraJob, _ reading: PrinterReading) {
    guard let uuid = job.uuid else { return nil }
    self.uuid = uuid
    name = job.name
    owner = job.owner
    createdAt = job.createdAt
    word = Self.word(job, reading)
    isAssigned = !job.isWaiting
    isForced = job.isForced
    elapsed = job.elapsed
    total = job.isWaiting ? job.estimate ?? 0 : job.total
    isFailed = word == "error"
    switch job.phase {
    case .running, .ended: isStarted = word != "pre_print"
    default: isStarted = false
    }
  }

  private static func word(_ job: CuraJob, _ reading: PrinterReading) -> String {
    switch job.phase {
    case .coming, .queued, .popped: return "queued"
    case .failed: return "error"
    case .starting: return "sent_to_printer"
    case .running(let transition?): return transition.word.rawValue
    case .running(nil):
      if reading.state == "paused" { return "paused" }
      return job.elapsed == 0 ? "pre_print" : "printing"
    case .ended(.failed, _): return "failed"
    case .ended: return "wait_cleanup"
    }
  }

  /// The entry.
  ///
  /// - Parameter printer: what all entries share.
  func body(_ printer: PrinterView) -> JSONValue {
    var object: JSONObject = [
      "uuid": .string(uuid), "name": .string(name), "status": .string(word),
      // Milliseconds with three digits more: Cura reads exactly six.
      "created_at": .string("\(createdAt.rfc3339Milliseconds.dropLast())000Z"),
      "started": .bool(isStarted), "force": .bool(isForced),
      "machine_variant": .string(printer.variant), "time_total": .integer(total),
      "time_elapsed": .integer(elapsed), "configuration": printer.configuration,
      "constraints": .object(JSONObject()), "owner": .string(owner),
      "compatible_machine_families": .array([]),
    ]
    if isAssigned {
      object["assigned_to"] = .string(printer.uuid)
      object["printer_uuid"] = .string(printer.uuid)
    }
    if isFailed {
      object["impediments_to_printing"] = [
        ["translation_key": "file_error", "severity": "UNFIXABLE"]
      ]
    }
    return .object(object)
  }
}
