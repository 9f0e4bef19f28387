internal import ConnectorKit
internal import JSON
internal import Platform

/// The G-code files on the printer, as Moonraker lists them.
struct FileListing: Sendable, Hashable {
  /// The most that the hub is told of.
  static let mostTold = 50

  /// One file.
  struct File: Sendable, Hashable {
    /// Relative to root `gcodes`.
    var path: String
    /// Bytes.
    var size: Int64
    /// Seconds since 1970.
    var modified: Double

    func json(name: String) -> JSONValue {
      [
        "name": .string(name), "size": .string(FileListing.size(size)),
        "modified": .double(modified),
      ]
    }
  }

  /// All of them, the newest first.
  var files: [File] = []

  /// No files.
  init() {}

  /// Reads Moonraker's answer: a list. What is no file in it is left out.
  init(_ answer: JSONValue?) {
    files = (answer?.array ?? []).compactMap { entry in
      guard let path = entry["path"]?.string, GCodePath(path) != nil else { return nil }
      return File(
        path: path,
        size: max(0, entry["size"]?.double.flatMap { Int64(exactly: $0.rounded()) } ?? 0),
        modified: entry["modified"]?.double ?? 0)
    }.sorted { ($1.modified, $0.path) < ($0.modified, $1.path) }
  }

  /// What the hub is told: the newest.
  var told: ArraySlice<File> { files.prefix(Self.mostTold) }

  /// The file of this path; names are compared as people read them.
  func file(_ path: String) -> File? { files.first { $0.path == path } }

  /// The file that the hub was told of under `name`.
  func file(toldAs name: String) -> File? {
    file(name) ?? files.first { Self.sanitized($0.path) == name }
  }

  /// A name without what the hub's page would take for HTML.
  static func sanitized(_ name: String) -> String {
    String(
      String.UnicodeScalarView(name.unicodeScalars.map { $0 == "<" || $0 == ">" ? "_" : $0 }))
  }

  /// `1.5 MB`, in steps of 1024.
  static func size(_ bytes: Int64) -> String {
    var value = Double(bytes)
    for unit in ["B", "KB", "MB", "GB"] {
      if value < 1_024 { return "\(UpdateBody.oneDecimal(value)) \(unit)" }
      value /= 1_024
    }
    return "\(UpdateBody.oneDecimal(value)) TB"
  }
}

/// The last print that was completed.
struct CompletedJob: Sendable, Hashable {
  var filename: String
  /// The end, seconds since 1970.
  var endedAt: Double

  /// The newest of Moonraker's jobs that was completed; nil: none.
  init?(_ history: JSONValue?) {
    let jobs = history?["jobs"]?.array ?? []
    let completed = jobs.compactMap { job -> CompletedJob? in
      guard job["status"]?.string == "completed", let filename = job["filename"]?.string,
        let end = job["end_time"]?.double, end > 0, end < 1e11
      else { return nil }
      return CompletedJob(filename: filename, endedAt: end)
    }
    guard let newest = completed.max(by: { $0.endedAt < $1.endedAt }) else { return nil }
    self = newest
  }

  init(filename: String, endedAt: Double) {
    self.filename = filename
    self.endedAt = endedAt
  }

  /// `cube.gcode (14:05)`, in this host's time.
  var told: String {
    let time = WallTime(millisecondsSinceEpoch: Int64(min(max(endedAt, 0), 1e11) * 1_000))
    return "\(filename) (\(time.localStamp.dropFirst(11).prefix(5)))"
  }
}
