package import JSON
package import Platform

/// Decides when to ask for the metadata of the loaded G-code file.
///
/// Moonraker does not tell when it has parsed a file: what is missing is asked for again after 1, 2 and 4 s and then
/// given up until the file changes or a job starts.
package struct MetadataTracker: Sendable {
  private enum Stage: Sendable, Hashable {
    case idle, asking, known, givenUp
    case waiting(until: MonotonicInstant)
  }
  private static let pauses: [Duration] = [.seconds(1), .seconds(2), .seconds(4)]
  private var filename = ""
  private var isPrinting = false
  private var stage = Stage.idle
  private var attempts = 0
  /// The file's size after a change, by which older metadata are told apart.
  private var expectedSize: Int64?

  /// A tracker without a file.
  package init() {}

  /// When ``due(at:)`` has something to ask.
  package var deadline: MonotonicInstant? {
    if case .waiting(let until) = stage { until } else { nil }
  }

  /// Takes in `print_stats`; a field that did not come is nil.
  ///
  /// - Returns: the file to ask about now, if any.
  package mutating func observe(filename newName: String?, state: String?) -> String? {
    let wasPrinting = isPrinting
    if let state { isPrinting = state == "printing" || state == "paused" }
    if let newName, newName != filename {
      filename = newName
      expectedSize = nil
      return ask()
    }
    switch stage {
    case .idle: return ask()
    case .givenUp where isPrinting && !wasPrinting: return ask()
    default: return nil
    }
  }

  /// Takes in the change of a file below the root `gcodes`.
  ///
  /// - Returns: the file to ask about now, if any.
  package mutating func fileChanged(_ path: String, size: Int64?) -> String? {
    guard path == filename, stage != .idle else { return nil }
    expectedSize = size
    return ask()
  }

  /// Takes in Moonraker's answer about `name`; nil where it had none.
  ///
  /// - Returns: the metadata to show, empty when there are none; nil while more is to be tried.
  package mutating func answered(
    _ name: String, _ metadata: JSONObject?, at now: MonotonicInstant
  ) -> JSONObject? {
    guard name == filename, stage == .asking else { return nil }
    let size = metadata?["size"]?.integer
    if let metadata, expectedSize == nil || size == nil || size == expectedSize {
      stage = .known
      return metadata
    }
    guard attempts < Self.pauses.count else {
      stage = .givenUp
      return metadata ?? JSONObject()
    }
    stage = .waiting(until: now.advanced(by: Self.pauses[attempts]))
    attempts += 1
    return nil
  }

  /// The file to ask about again at `now`, if any.
  package mutating func due(at now: MonotonicInstant) -> String? {
    guard let deadline, deadline <= now else { return nil }
    stage = .asking
    return filename
  }

  /// Forgets what was asked, because the connection is gone; the next observation asks anew.
  package mutating func connectionLost() { stage = .idle }

  private mutating func ask() -> String? {
    attempts = 0
    stage = filename.isEmpty ? .idle : .asking
    return filename.isEmpty ? nil : filename
  }
}

extension JSONObject {
  private static let wantedMetadata: Set<String> = [
    "size", "modified", "uuid", "slicer", "slicer_version", "gcode_start_byte", "gcode_end_byte",
    "object_height", "estimated_time", "nozzle_diameter", "layer_height", "first_layer_height",
    "layer_count", "first_layer_extr_temp", "first_layer_bed_temp", "chamber_temp",
    "filament_name", "filament_type", "filament_total", "filament_weight_total", "job_id",
    "print_start_time", "filename",
  ]

  /// A file's metadata without what nobody reads and what is large: thumbnails, objects, colours.
  package var withoutBulk: JSONObject {
    var kept = JSONObject()
    for (key, value) in self where Self.wantedMetadata.contains(key) { kept[key] = value }
    return kept
  }
}
