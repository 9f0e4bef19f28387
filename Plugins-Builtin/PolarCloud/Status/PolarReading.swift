internal import ConnectorKit
internal import JSON
internal import Platform

/// The printer as the Polar Cloud is told of it: plain numbers, none of them beyond what the wire can carry.
struct PolarReading: Sendable, Hashable {
  /// What there is to say at all.
  enum Standing: Sendable, Hashable {
    /// Moonraker or Klippy is away, or has not said anything yet.
    case offline
    /// Klipper has stopped: in its words.
    case stopped(String)
    /// It works.
    case ready
  }
  /// A heater: °C.
  struct Heater: Sendable, Hashable {
    var temperature: Double
    var target: Double
  }

  var standing: Standing
  /// `print_stats.state`; nil where it is not known now.
  var printState: String?
  /// The file of the present or last job.
  var filename: String
  /// What Klipper says about an error of the print.
  var message: String
  /// What a macro has said lately; empty: nothing.
  var notice: String
  /// Seconds.
  var printDuration: Double
  var totalDuration: Double
  /// Millimetres.
  var filamentUsed: Double
  var filePosition: Int
  var fileSize: Int
  /// Seconds that the slicer expects; nil where nobody knows.
  var estimatedTime: Double?
  /// By the names of the wire: `tool0`, `tool1`, `bed`, `chamber`; only those that the printer has.
  var heaters: [String: Heater]

  /// So long a macro's message is shown.
  static let noticeAge = Duration.seconds(300)

  /// Reads a snapshot.
  ///
  /// - Parameter now: for the age of a macro's message; nil shows none.
  init(_ status: PrinterStatus, at now: MonotonicInstant? = nil) {
    let isCurrent = status.link == .connected && status.isCurrent
    switch status.klippy {
    case .error, .shutdown:
      standing =
        status.link == .connected ? .stopped(Self.line(status.klippyMessage)) : .offline
    case .ready: standing = isCurrent ? .ready : .offline
    default: standing = .offline
    }
    func number(_ object: String, _ field: String) -> Double {
      guard isCurrent, let value = status.field(object, field)?.double, value.isFinite else {
        return 0
      }
      return value
    }
    printState = isCurrent && standing == .ready ? status.printState : nil
    filename = isCurrent ? status.field("print_stats", "filename")?.string ?? "" : ""
    let newest = now.flatMap { status.messages(notOlderThan: Self.noticeAge, at: $0).last }
    notice = Self.line(newest?.text ?? "")
    message = Self.line(status.field("print_stats", "message")?.string ?? "")
    printDuration = max(0, number("print_stats", "print_duration"))
    totalDuration = max(0, number("print_stats", "total_duration"))
    // Klipper's own value is negative when the extruder was reset between two prints.
    filamentUsed = max(0, number("print_stats", "filament_used"))
    filePosition = Self.whole(number("virtual_sdcard", "file_position"))
    fileSize = Self.whole(number("virtual_sdcard", "file_size"))
    let estimate = status.fileMetadata["estimated_time"]?.double
    estimatedTime = estimate.flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
    var heaters: [String: Heater] = [:]
    for (name, objects) in Self.heaterObjects {
      guard isCurrent,
        let object = objects.first(where: { status.objects[$0] != nil })
          ?? (name == "chamber" ? Self.chamberSensor(status) : nil)
      else { continue }
      heaters[name] = Heater(
        temperature: Self.tenth(number(object, "temperature")),
        target: Self.tenth(number(object, "target")))
    }
    self.heaters = heaters
  }

  /// What each name of the wire is at the printer, the likelier first.
  static let heaterObjects: [(name: String, objects: [String])] = [
    ("tool0", ["extruder"]), ("tool1", ["extruder1"]), ("bed", ["heater_bed"]),
    ("chamber", ["heater_generic chamber", "heater_chamber", "temperature_sensor chamber"]),
  ]

  /// A thermometer that is named for the chamber.
  private static func chamberSensor(_ status: PrinterStatus) -> String? {
    status.objects.keys.filter { $0.hasPrefix("temperature_sensor chamber") }.min()
  }

  /// Whether the printer's own words are known now.
  var isKnown: Bool { standing == .ready && printState != nil }

  /// Whether a job runs or is paused.
  var isJobOn: Bool { printState == "printing" || printState == "paused" }

  /// 0…1.
  var progress: Double {
    guard fileSize > 0 else { return 0 }
    return min(1, max(0, Double(filePosition) / Double(fileSize)))
  }

  /// What has been counted of the job of this file; nil where another one is loaded.
  func counts(of path: String) -> JobCounts? {
    guard isKnown, filename == path else { return nil }
    return JobCounts(
      printSeconds: Self.whole(printDuration), filamentUsed: Self.whole(filamentUsed),
      bytesRead: filePosition, fileSize: fileSize)
  }

  /// A number as the wire has it: not negative, whole.
  static func whole(_ value: Double) -> Int {
    guard value > 0 else { return 0 }
    return Int(exactly: min(value, 9e15).rounded(.down)) ?? 0
  }

  /// With one decimal.
  private static func tenth(_ value: Double) -> Double {
    guard abs(value) < 100_000 else { return 0 }
    return (value * 10).rounded() / 10
  }

  /// The first line, at most 120 characters.
  private static func line(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).first ?? ""
    return String(
      line.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(120).map {
        Character($0)
      })
  }
}
