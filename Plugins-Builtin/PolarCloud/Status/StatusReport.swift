internal import JSON
internal import Platform

/// One `status` for the cloud. A pure value; two that are alike need not be sent twice.
struct StatusReport: Sendable, Hashable {
  var code: StatusCode
  var jobID: String?
  var progress: String
  var progressDetail: String
  var json: JSONObject
  private var filamentUsed: Int
  private var heaters: [String: PolarReading.Heater]

  /// The report of `reading`.
  ///
  /// - Parameters:
  ///   - code: what it is called; with the job's end it is another than the reading's.
  ///   - startedAt: when the present job began; nil: none is on.
  init(
    _ reading: PolarReading, code: StatusCode, job: CloudJob?, serialNumber: String,
    startedAt: WallTime?
  ) {
    self.code = code
    jobID = job?.id
    let hasEnded = code == .postprocessing || code == .complete
    let counts = reading.isJobOn || hasEnded ? reading : nil
    filamentUsed = PolarReading.whole(counts?.filamentUsed ?? 0)
    heaters = reading.heaters
    (progress, progressDetail) = Self.words(code, reading, job)
    // An error's own words matter more, and who is offline says nothing.
    if !reading.notice.isEmpty, code != .error, code != .offline {
      progressDetail += " - \(reading.notice)"
    }
    json = [
      "serialNumber": .string(serialNumber), "status": .integer(code.rawValue),
      "progress": .string(progress), "progressDetail": .string(progressDetail),
      "estimatedTime": .string("\(Self.estimate(counts))"),
      "printSeconds": .integer(PolarReading.whole(counts?.printDuration ?? 0)),
    ]
    for (name, target) in [
      ("tool0", "targetTool0"), ("tool1", "targetTool1"), ("bed", "targetBed"),
      ("chamber", "targetChamber"),
    ] {
      // The cloud expects these two of every printer.
      let isExpected = name == "tool0" || name == "bed"
      guard let heater = reading.heaters[name] ?? (isExpected ? .absent : nil) else { continue }
      json[name] = .double(heater.temperature)
      json[target] = .double(heater.target)
    }
    if filamentUsed > 0 { json["filamentUsed"] = .string("\(filamentUsed)") }
    if let startedAt, reading.isJobOn { json["startTime"] = .string(startedAt.rfc3339Seconds) }
    if let counts, counts.filePosition > 0 { json["bytesRead"] = .integer(counts.filePosition) }
    if let counts, counts.fileSize > 0 { json["fileSize"] = .integer(counts.fileSize) }
    guard let job else { return }
    json["jobId"] = .string(job.id)
    json["stlFile"] = job.stlFile.map(JSONValue.string)
    json["configFile"] = job.configFile.map(JSONValue.string)
  }

  /// Whether what people look at differs enough from `other` to be told before its time.
  func isNews(since other: StatusReport) -> Bool {
    if progressDetail != other.progressDetail || filamentUsed != other.filamentUsed { return true }
    if heaters.keys != other.heaters.keys { return true }
    return heaters.contains { name, heater in
      guard let before = other.heaters[name] else { return true }
      return abs(heater.temperature - before.temperature) >= 1
        || abs(heater.target - before.target) >= 1
    }
  }

  /// Whether it is another state, or another job: told at once.
  func isTurn(since other: StatusReport) -> Bool { code != other.code || jobID != other.jobID }

  /// The whole time that the print takes, seconds.
  private static func estimate(_ reading: PolarReading?) -> Int {
    guard let reading else { return 0 }
    if let estimate = reading.estimatedTime { return PolarReading.whole(estimate) }
    guard reading.progress > 0 else { return 0 }
    return PolarReading.whole(reading.printDuration / reading.progress)
  }

  private static func words(
    _ code: StatusCode, _ reading: PolarReading, _ job: CloudJob?
  ) -> (String, String) {
    let tenths = PolarReading.whole((reading.progress * 1_000).rounded())
    let percent = "\(tenths / 10).\(tenths % 10)%"
    switch code {
    case .idle: return ("Idle", "Idle")
    case .preparing:
      if let job, job.phase != .running {
        return ("Preparing to print a job", "Downloading file for job: \(job.id)")
      }
      return reading.fileSize > 0
        ? ("Preparing", "Printing: \(percent)") : ("Preparing", "Leveling and heating")
    case .printingLocally, .printing:
      return ("Job Printing", reading.fileSize > 0 ? "Printing: \(percent)" : "Printing")
    case .paused: return ("Job Paused", "Paused: \(percent)")
    case .postprocessing: return ("Post processing job", "Complete: 100.0%")
    case .complete: return ("Complete", "Complete: 100.0%")
    case .canceling:
      return job == nil && !reading.isJobOn
        ? ("Cancelled", "Print was cancelled") : ("Killing Job", "Cancelling the print")
    case .error:
      var text = reading.message
      if case .stopped(let words) = reading.standing { text = words }
      return ("Error", text.isEmpty ? "Error" : text)
    case .offline: return ("Offline", "Offline")
    }
  }
}

extension PolarReading.Heater {
  /// What is told of a heater that is not there, or not known.
  fileprivate static let absent = PolarReading.Heater(temperature: 0, target: 0)
}
