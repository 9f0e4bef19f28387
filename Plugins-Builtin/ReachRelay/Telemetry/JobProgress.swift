internal import ConnectorKit
internal import JSON

/// How far a job is and how long it still takes.
struct JobProgress {
  /// The part that is done, 0…1; nil when nothing says so.
  let fraction: Double?
  /// The time that remains, in whole seconds.
  let remaining: Int64?

  /// Reads a snapshot whose values are current.
  init(_ status: PrinterStatus) {
    let metadata = Self.metadata(status)
    let fraction =
      Self.fractionOfCode(status, metadata)
      ?? status.field("virtual_sdcard", "progress")?.double
      ?? status.field("display_status", "progress")?.double
    self.fraction = fraction.map { min(max($0, 0), 1) }
    let estimate = metadata["estimated_time"]?.double.flatMap { $0 > 0 ? $0 : nil }
    let printed = status.field("print_stats", "print_duration")?.double ?? 0
    remaining = Self.remaining(fraction: self.fraction ?? 0, printed: printed, estimate: estimate)
      .flatMap { Int64(exactly: max(0, $0).rounded(.towardZero)) }
  }

  /// The metadata, where they are those of the job's file.
  private static func metadata(_ status: PrinterStatus) -> JSONObject {
    let described = status.fileMetadata["filename"]?.string
    let printed = status.field("print_stats", "filename")?.string
    return described == nil || described == printed ? status.fileMetadata : JSONObject()
  }

  /// The part of the file's G-code that has been read: Klipper's own progress counts the header with
  /// its thumbnails, and so may begin at 70 %.
  private static func fractionOfCode(_ status: PrinterStatus, _ metadata: JSONObject) -> Double? {
    guard let position = status.field("virtual_sdcard", "file_position")?.double,
      let start = metadata["gcode_start_byte"]?.double,
      let end = metadata["gcode_end_byte"]?.double, end > start
    else { return nil }
    return (position - start) / (end - start)
  }

  private static func remaining(fraction: Double, printed: Double, estimate: Double?) -> Double? {
    // So early the speed so far says less than the slicer does.
    if let estimate, fraction < 0.05 { return estimate - printed }
    guard fraction > 0.01, printed > 0 else { return nil }
    return printed / fraction - printed
  }
}
