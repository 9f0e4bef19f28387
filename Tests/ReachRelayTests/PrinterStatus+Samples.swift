import ConnectorKit
import JSON
import Platform

extension PrinterStatus {
  /// The time at which test statuses are taken.
  static let start = MonotonicInstant(sinceOrigin: .seconds(1_000))

  /// A status before Moonraker was reached.
  static func away(since: MonotonicInstant = start) -> PrinterStatus {
    PrinterStatus(startedAt: since, wallTime: WallTime(millisecondsSinceEpoch: 1_795_162_973_000))
  }

  /// A ready printer in this `print_stats.state`.
  static func ready(_ state: String, nozzleTarget: Double = 0) -> PrinterStatus {
    var status = away()
    status.link = .connected
    status.klippy = .ready
    status.isCurrent = true
    status.objects = [
      "extruder": ["temperature": 22.01, "target": .double(nozzleTarget)],
      "heater_bed": ["temperature": 22.02, "target": 0.0],
      "fan": ["speed": 0.0],
      "gcode_move": ["speed": 1500.0, "speed_factor": 1.0, "extrude_factor": 1.0],
      "toolhead": ["position": [1.0, 2.0, 3.0, 4.0], "extruder": "extruder"],
      "print_stats": [
        "state": .string(state), "filename": "a.gcode", "message": "", "total_duration": 100.9,
        "print_duration": 60.5, "filament_used": 12.5,
      ],
      "virtual_sdcard": ["progress": 0.5, "file_position": 500],
    ]
    return status
  }
}
