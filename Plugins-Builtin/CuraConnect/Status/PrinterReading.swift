internal import ConnectorKit
internal import JSON

/// What Cura is shown of the printer, read from one snapshot.
struct PrinterReading: Sendable, Hashable {
  /// Whether Moonraker is connected, Klippy is ready, and what it tells is current.
  var isReachable = false
  /// `print_stats.state`.
  var state: String?
  /// The loaded file, below `gcodes`.
  var filename = ""
  /// How long the job has been extruding, s.
  var elapsed = 0
  /// How much of the file has been read, 0…1.
  var progress = 0.0
  /// How long the slicer thinks that the job takes, s.
  var estimate: Int?

  /// Nothing is known.
  init() {}

  /// Reads a snapshot.
  init(_ status: PrinterStatus) {
    isReachable = status.link == .connected && status.klippy == .ready && status.isCurrent
    state = status.printState
    filename = status.field("print_stats", "filename")?.string ?? ""
    elapsed = Self.seconds(status.field("print_stats", "print_duration")?.double) ?? 0
    // A hundredth is all that is shown; more would only be news without being news.
    let progress = status.field("virtual_sdcard", "progress")?.double ?? 0
    self.progress = (min(max(progress, 0), 1) * 1_000).rounded(.down) / 1_000
    estimate = Self.seconds(status.fileMetadata["estimated_time"]?.double)
  }

  /// Whether a job runs or is paused.
  var isJobOn: Bool { state == "printing" || state == "paused" }

  /// How long all of the job takes, s: the slicer's word, else what the progress tells.
  var total: Int {
    let guess =
      progress > 0.05 ? Self.seconds(Double(elapsed) / progress) : nil
    return max(estimate ?? guess ?? 0, elapsed + (isJobOn ? 1 : 0))
  }

  /// Whole seconds within what any print takes; nil for what is none.
  static func seconds(_ value: Double?) -> Int? {
    guard let value, value.isFinite, value >= 0 else { return nil }
    return Int(exactly: min(value, 100_000_000).rounded(.down))
  }
}
