internal import ConnectorKit
internal import JSON
internal import Platform

/// Writes the batch of one snapshot: what Moonraker would answer to a query of the six objects.
struct SnapshotEncoder: Sendable {
  /// The six objects of a snapshot, and no others.
  static let objects = [
    "extruder", "heater_bed", "pause_resume", "print_stats", "toolhead", "virtual_sdcard",
  ]

  /// What the snapshot needs of the printer.
  ///
  /// `toolhead.estimated_print_time` changes with every tick of the printer's clock, so it is read once per
  /// subscription; the other fields of `toolhead` are therefore named one by one.
  static let interest = StatusInterest(
    [
      "extruder": .all, "heater_bed": .all, "pause_resume": .all, "print_stats": .all,
      "virtual_sdcard": .all,
      "toolhead": .named([
        "homed_axes", "position", "axis_minimum", "axis_maximum", "max_velocity", "max_accel",
        "minimum_cruise_ratio", "square_corner_velocity", "print_time", "stalls", "extruder",
      ]),
    ], once: ["toolhead": ["estimated_print_time"]])

  var printerID: Int64
  var hidesFilePath: Bool

  /// The body of a snapshot that is sent now; nil where the printer has told nothing yet.
  func body(of status: PrinterStatus, at now: MonotonicInstant, wallTime: WallTime) -> [UInt8]? {
    guard let eventtime = status.eventtime else { return nil }
    var objects = JSONObject()
    for name in Self.objects { objects[name] = .object(fields(name, of: status)) }
    let payload: JSONValue = [
      "result": ["eventtime": .number(eventtime), "status": .object(objects)]
    ]
    let stamp = Self.capturedAt(status, at: now, wallTime: wallTime)
    let snapshot: JSONValue = [
      "printer_id": .integer(printerID), "captured_at": .string(stamp.rfc3339Seconds),
      "payload": payload,
    ]
    return JSONValue.object(["snapshots": [snapshot]]).serialized()
  }

  /// When the data are from: now, or, where more than a second has passed since the newest update, its arrival.
  ///
  /// Counted back on the monotonic clock: a clock that was set in between must not move it.
  static func capturedAt(
    _ status: PrinterStatus, at now: MonotonicInstant, wallTime: WallTime
  ) -> WallTime {
    let age = status.updatedAt.duration(to: now)
    return age > .seconds(1) ? wallTime.advanced(by: .zero - age) : wallTime
  }

  /// The object's fields as Klipper has them; none where the printer lacks the object.
  private func fields(_ name: String, of status: PrinterStatus) -> JSONObject {
    guard var fields = status.objects[name] else { return JSONObject() }
    // A field that was asked for by name and that this Klipper does not know comes as null.
    if name == "toolhead" {
      for key in fields.keys where fields[key]?.isNull == true { fields[key] = nil }
    }
    if hidesFilePath && name == "virtual_sdcard" && fields["file_path"] != nil {
      fields["file_path"] = .null
    }
    return fields
  }
}
