internal import ConnectorKit
internal import JSON

/// What PrintDock is told of a command's end. Pure.
struct Completion: Sendable, Hashable {
  /// What an owed item of this kind is called.
  static let kind = "completion"
  /// The most bytes of a result that is kept; a longer one loses its list.
  static let largest = 3 << 20

  /// PrintDock's id of the command.
  var id: String
  /// What went wrong; nil when nothing did.
  var problem: String?
  /// The result.
  var result: JSONObject

  /// A command that was never tried.
  init(id: String, problem: String, result: JSONObject) {
    self.id = id
    self.problem = problem
    self.result = result
  }

  /// An element that is no command.
  static func invalid(_ id: String, _ what: String, action: String? = nil) -> Completion {
    var result = JSONObject()
    result["action"] = action.map { .string($0) }
    return Completion(id: id, problem: "invalid command: \(what)", result: result)
  }

  /// The end of a command that was submitted.
  ///
  /// - Parameter absence: why the printer cannot be shown as it is now; nil: it can.
  init(of order: CommandOrder, _ outcome: CommandOutcome, absence: String?) {
    id = order.id
    result = ["action": .string(order.task.action)]
    switch order.task {
    case .pause, .resume, .cancel, .syncFiles, .importHistory: break
    case .startPrint(let path), .deleteFile(let path): result["filename"] = .string(path.text)
    case .homing(_, let told):
      result["axes"] = told.isEmpty ? "all" : .array(told.map { .string($0) })
    case .uploadFile(let path, let content):
      if let size = content.decodedSize ?? outcome.details?["size"]?.integer {
        result["filename"] = .string(path.text)
        result["size"] = .integer(size)
      }
    case .createBackup(let backup):
      if outcome.status == .done { result["backup_id"] = .string(backup.id) }
    }
    if outcome.status == .done {
      addDetails(of: order.task, outcome.details ?? .null)
      if let absence {
        result["post_snapshot_error"] = .string(absence)
      } else {
        result["post_snapshot"] = "captured"
      }
    } else {
      problem = Self.problem(order.task, outcome)
    }
  }

  private mutating func addDetails(of task: CommandTask, _ details: JSONValue) {
    switch task {
    case .syncFiles:
      let files = details.array ?? details["result"]?.array ?? []
      result["files"] = .array(files)
      result["count"] = .integer(files.count)
    case .importHistory:
      let history = details["result"] == nil ? ["result": details] : details
      result["history"] = history
      result["count"] = (history["result"]?["jobs"]?.array?.count).map { .integer($0) }
    case .createBackup:
      for key in ["size_bytes", "sha256", "uploaded_at"] { result[key] = details[key] }
    default: break
    }
  }

  /// One sentence for every end that is no success.
  static func problem(_ task: CommandTask, _ outcome: CommandOutcome) -> String {
    let words = outcome.message
    switch (outcome.status, outcome.reason) {
    case (_, .notPermitted), (_, .readOnly), (_, .notOwn): return words.led(by: "not permitted")
    case (_, .stale): return words.led(by: "too old")
    case (.refused, .wrongState):
      if case .homing = task, !words.hasPrefix("Klipper") { return "printer is busy" }
      return words.isEmpty ? "the printer's state does not allow it" : words
    case (_, .busy): return words.led(by: "printer is busy")
    case (_, .interrupted): return words.isEmpty ? CommandOutcome.interrupted.message : words
    case (.failed, .printerRefused), (.failed, .notConnected), (.failed, .timeout),
      (.failed, .transfer), (.unknown, _):
      return (task.failurePrefix ?? "") + spelled(code: outcome.code)
        + (words.isEmpty ? "no answer" : words)
    default: return words.isEmpty ? "refused: \(outcome.reason.rawValue)" : words
    }
  }

  /// What goes before Moonraker's words where it gave a status.
  static func spelled(code: Int?) -> String {
    code.flatMap { (400..<600).contains($0) ? "moonraker http \($0): " : nil } ?? ""
  }

  /// The body of the call, as it is kept.
  var body: JSONObject {
    var body: JSONObject = ["status": problem == nil ? "succeeded" : "failed"]
    body["result"] = .object(result)
    body["error_message"] = problem.map { .string($0) }
    return body
  }

  /// What is owed; `isExpendable` for what was never tried.
  func owed(isExpendable: Bool = false) -> OwedItem {
    var body = body
    if isLong, JSONValue.object(body).serialized().count > Self.largest {
      body = Self.shortened(body) ?? body
    }
    return OwedItem(key: id, kind: Self.kind, body: body, isExpendable: isExpendable)
  }

  private var isLong: Bool { result["files"] != nil || result["history"] != nil }

  /// The body without its list; nil where it has none, so that it cannot be made shorter.
  static func shortened(_ body: JSONObject) -> JSONObject? {
    guard var result = body["result"]?.object,
      result["files"] != nil || result["history"] != nil
    else { return nil }
    result["files"] = nil
    result["history"] = nil
    result["truncated"] = true
    var body = body
    body["result"] = .object(result)
    return body
  }
}

extension CommandTask {
  /// What goes before Moonraker's own words. Uploads and backups write theirs themselves: they fail in several ways.
  fileprivate var failurePrefix: String? {
    switch self {
    case .deleteFile: "failed to delete file from moonraker: "
    case .syncFiles: "failed to list files from moonraker: "
    case .importHistory: "failed to fetch history from moonraker: "
    default: nil
    }
  }
}

extension String {
  /// `title: text`, but each only once.
  fileprivate func led(by title: String) -> String {
    if isEmpty { return title }
    return hasPrefix(title) ? self : "\(title): \(self)"
  }
}
