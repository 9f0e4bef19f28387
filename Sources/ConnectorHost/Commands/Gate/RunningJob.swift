internal import JSON

/// The job that runs or is paused.
struct RunningJob: Sendable, Hashable {
  /// The file, as `print_stats` names it.
  var filename: String
  /// The backend that started it; nil: somebody else did.
  var owner: String?
  /// When it began, as far as we know.
  var start: JobStart

  /// A job.
  init(filename: String, owner: String?, start: JobStart) {
    self.filename = filename
    self.owner = owner
    self.start = start
  }

  /// The job that was stored; nil where none was.
  init?(_ stored: JSONValue?) {
    guard let filename = stored?["filename"]?.string else { return nil }
    self.init(filename: filename, owner: stored?["owner"]?.string, start: JobStart(notBefore: nil))
  }

  /// What is stored.
  static func stored(_ job: RunningJob?) -> JSONValue {
    guard let job else { return .null }
    return ["filename": .string(job.filename), "owner": .string(orNull: job.owner)]
  }
}
