internal import ConnectorKit
internal import JSON
internal import Platform

/// The body of a report: every key always, null where a value is unknown.
struct TelemetryBody {
  /// The relay's id of the printer.
  var printerID: String
  /// The token, which the body repeats.
  var token: Secret
  /// Klipper's object with the chamber's temperature, where the owner names one.
  var chamber: String?
  /// What is wrong with the printer.
  var errors: [JSONValue]
  /// What macros have said lately, oldest first.
  var messages: [PrinterMessage] = []

  /// The report of `status` at `now`.
  func json(_ status: PrinterStatus, at now: WallTime) -> JSONObject {
    let reading = PrinterReading(status)
    let printer = Values(status: reading.isCurrent ? status : nil)
    return [
      "printerId": .string(printerID), "token": .string(token.revealed),
      "timestamp": .integer(now.millisecondsSinceEpoch),
      "temperatures": temperatures(printer),
      "fans": ["partCooling": printer.number("fan", "speed")],
      "motion": Self.motion(printer),
      "job": Self.job(printer, reading.jobState),
      "systemHealth": Self.systemHealth(status),
      "errors": .array(errors),
      "logTail": .array(
        messages.map { .string("\($0.wallTime.rfc3339Seconds) \($0.text)") }),
    ]
  }

  /// The printer's values, or nothing where they are not those of now.
  private struct Values {
    let status: PrinterStatus?

    func number(_ object: String, _ field: String) -> JSONValue {
      Self.number(status?.field(object, field))
    }

    static func number(_ value: JSONValue?) -> JSONValue {
      // A number beyond all doubles would be infinity for its reader.
      guard let number = value?.number, number.double != nil else { return nil }
      return .number(number)
    }

    func seconds(_ object: String, _ field: String) -> JSONValue {
      let seconds = status?.field(object, field)?.double ?? 0
      return .integer(Int64(exactly: max(0, seconds).rounded(.towardZero)) ?? 0)
    }
  }

  private func temperatures(_ printer: Values) -> JSONValue {
    let extruder = printer.status?.activeExtruder ?? "extruder"
    return [
      "nozzle": printer.number(extruder, "temperature"),
      "nozzleTarget": printer.number(extruder, "target"),
      "bed": printer.number("heater_bed", "temperature"),
      "bedTarget": printer.number("heater_bed", "target"),
      "chamber": chamberObject(printer.status).map { printer.number($0, "temperature") } ?? nil,
    ]
  }

  /// The object that measures the chamber: the configured one, else one that is called so.
  private func chamberObject(_ status: PrinterStatus?) -> String? {
    guard let status else { return nil }
    if let chamber { return chamber }
    if status.objects["heater_generic chamber"] != nil { return "heater_generic chamber" }
    let sensor = status.objects.keys.filter { $0.hasPrefix("temperature_sensor chamber") }.min()
    return sensor ?? "temperature_fan chamber"
  }

  private static func motion(_ printer: Values) -> JSONValue {
    var position = (printer.status?.field("toolhead", "position")?.array ?? []).makeIterator()
    return [
      "x": Values.number(position.next()), "y": Values.number(position.next()),
      "z": Values.number(position.next()),
      "speed": printer.number("gcode_move", "speed"),
      "speedFactor": printer.number("gcode_move", "speed_factor"),
      "extrudeFactor": printer.number("gcode_move", "extrude_factor"),
    ]
  }

  private static func job(_ printer: Values, _ state: JobState) -> JSONValue {
    let progress = printer.status.map(JobProgress.init)
    let isRunning = state == .printing || state == .paused
    let remaining: JSONValue = isRunning ? progress?.remaining.map(JSONValue.integer) ?? nil : nil
    return [
      "filename": .string(orNull: printer.status?.field("print_stats", "filename")?.string),
      "progress": .double((progress?.fraction ?? 0) * 100), "eta": remaining,
      "elapsedTime": printer.seconds("print_stats", "print_duration"),
      "state": .string(state.rawValue),
      "totaltime": printer.seconds("print_stats", "total_duration"),
      "filamentUsed": printer.number("print_stats", "filament_used"),
      "estimatedTime": remaining,
    ]
  }

  private static func systemHealth(_ status: PrinterStatus) -> JSONValue {
    // The host's figures come through Moonraker, and are as old as it is away.
    let host = status.link == .connected ? status.host : HostLoad()
    return [
      "cpuPercent": percent(host.cpuPercent), "memoryPercent": percent(host.memoryPercent),
      "diskPercent": percent(host.diskPercent),
    ]
  }

  private static func percent(_ value: Double?) -> JSONValue {
    .double(value.map { min(max($0, 0), 100) })
  }
}
