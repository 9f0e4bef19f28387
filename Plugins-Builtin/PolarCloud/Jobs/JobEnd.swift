internal import ConnectorKit
internal import JSON

/// How a cloud job ended, as the cloud is told: once.
struct JobEnd: Sendable, Hashable {
  /// What an owed item of this kind is called.
  static let kind = "job"

  /// The two words of the wire; a failure is a cancellation.
  enum State: String, Sendable, Hashable { case completed, canceled }

  var jobID: String
  var state: State
  /// Seconds.
  var printSeconds: Int
  /// Millimetres.
  var filamentUsed: Int
  var bytesRead: Int
  var fileSize: Int

  /// An end with what the printer read then.
  init(_ jobID: String, _ state: State, _ counts: JobCounts = JobCounts()) {
    self.jobID = jobID
    self.state = state
    printSeconds = counts.printSeconds
    filamentUsed = counts.filamentUsed
    bytesRead = counts.bytesRead
    fileSize = counts.fileSize
  }

  /// As it goes into the outbox.
  ///
  /// - Parameter serialNumber: whose job it was; nil: it is added with the sending.
  func owed(_ serialNumber: String?) -> OwedItem {
    var body = JSONObject()
    body["serialNumber"] = serialNumber.map(JSONValue.string)
    body["jobId"] = .string(jobID)
    body["state"] = .string(state.rawValue)
    body["printSeconds"] = .integer(printSeconds)
    if filamentUsed > 0 { body["filamentUsed"] = .integer(filamentUsed) }
    if bytesRead > 0 { body["bytesRead"] = .integer(bytesRead) }
    if fileSize > 0 { body["fileSize"] = .integer(fileSize) }
    return OwedItem(key: Self.key(jobID), kind: Self.kind, body: body)
  }

  /// The key of a job's end.
  static func key(_ jobID: String) -> String { "job \(jobID)" }
}

/// What Klipper has counted of a job.
struct JobCounts: Sendable, Hashable {
  /// Seconds.
  var printSeconds = 0
  /// Millimetres.
  var filamentUsed = 0
  var bytesRead = 0
  var fileSize = 0
}
