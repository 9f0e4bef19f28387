internal import ConnectorKit
internal import JSON

/// What an update tells of the printer's state, in the hub's words and units. Pure.
struct UpdateReading: Sendable, Hashable {
  /// What is printed.
  struct Job: Sendable, Hashable {
    var filename: String
    /// 0…100, rounded down.
    var percent: Int
    /// In the hub's unit; nil: not known.
    var remaining: Int64?
  }

  var status: String
  var hotend = 0.0
  var bed = 0.0
  var hotendTarget = 0.0
  var bedTarget = 0.0
  var speedPercent = 100
  var fanPercent = 0
  /// nil: none.
  var job: Job?

  init(_ status: PrinterStatus, _ rules: HubConfiguration, _ generation: Generation) {
    self.status = Self.word(for: status, rules, generation)
    guard status.isCurrent else { return }
    func degrees(_ object: String, _ field: String) -> Double {
      guard let value = status.field(object, field)?.double, abs(value) < 10_000 else { return 0 }
      return UpdateBody.oneDecimal(value)
    }
    hotend = degrees("extruder", "temperature")
    bed = degrees("heater_bed", "temperature")
    hotendTarget = degrees("extruder", "target")
    bedTarget = degrees("heater_bed", "target")
    speedPercent =
      status.field("gcode_move", "speed_factor")?.double.map { Self.percent($0, most: 10_000) }
      ?? 100
    fanPercent = status.field("fan", "speed")?.double.map { Self.percent($0, most: 100) } ?? 0
    // Klipper's last word of a job that a shutdown has ended is still "printing".
    guard status.klippy == .ready, status.printState == "printing" || status.printState == "paused"
    else { return }
    let told =
      status.field("display_status", "progress")?.double
      ?? status.field("virtual_sdcard", "progress")?.double ?? 0
    let progress = min(max(told, 0), 1)
    let file = status.field("virtual_sdcard", "progress")?.double ?? told
    job = Job(
      filename: status.field("print_stats", "filename")?.string ?? "",
      percent: Int((progress * 100).rounded(.down)),
      remaining: RemainingTime(
        progress: min(max(file, 0), 1),
        printed: status.field("print_stats", "print_duration")?.double ?? 0,
        estimated: status.fileMetadata["estimated_time"]?.double
      ).seconds.map { Self.told($0, rules, generation) })
  }

  /// The first that fits: nobody there, out of order, starting, then what the print does.
  private static func word(
    for status: PrinterStatus, _ rules: HubConfiguration, _ generation: Generation
  ) -> String {
    guard status.link == .connected else { return "offline" }
    switch status.klippy {
    case .disconnected, .startup: return "offline"
    case .shutdown, .error: return "error"
    case .ready: break
    }
    guard status.isCurrent else { return "offline" }
    switch (status.printState, generation) {
    case ("printing", _): return "printing"
    case ("paused", .v1): return rules.pausedStatus
    case ("paused", .v2): return "paused"
    case ("complete", .v2): return "complete"
    case ("error", _): return "error"
    default: return "idle"
    }
  }

  private static func percent(_ factor: Double, most: Double) -> Int {
    Int(min(max((factor * 100).rounded(), 0), most))
  }

  private static func told(
    _ seconds: Double, _ rules: HubConfiguration, _ generation: Generation
  ) -> Int64 {
    let isMinutes =
      rules.timeUnit == "minutes" || (rules.timeUnit == "auto" && generation == .v1)
    return Int64(min(isMinutes ? seconds / 60 : seconds, 1e9).rounded())
  }
}

/// How long a print still takes, from what the slicer said and from how it has gone so far. Pure.
struct RemainingTime: Sendable, Hashable {
  /// Of the file, 0…1.
  var progress: Double
  /// Seconds of printing so far.
  var printed: Double
  /// The slicer's estimate for all of it, s.
  var estimated: Double?

  /// In seconds, zero or more; nil where nobody can say yet.
  var seconds: Double? {
    let extrapolated = progress > 0 ? max(0, printed / progress - printed) : nil
    guard let estimated, estimated > 0 else {
      return progress >= 0.02 && printed >= 60 ? extrapolated : nil
    }
    let planned = max(0, estimated * (1 - progress))
    // The further it is, the more its own pace counts.
    return extrapolated.map { planned * (1 - progress) + $0 * progress } ?? planned
  }
}
