internal import ConnectorKit
internal import JSON

/// How hot a heater may be made.
struct HeaterLimits: Sendable {
  private let status: PrinterStatus

  /// The limits of the printer of which `status` is known.
  init(_ status: PrinterStatus) { self.status = status }

  /// The highest target of a heater, °C: what Klipper's own configuration says where the cache knows it, else 300 for an
  /// extruder and 120 for all others.
  func maximum(of heater: String) -> Double {
    let settings = status.field("configfile", "settings")
    let name = heater.lowercased()
    let section = settings?[name] ?? settings?["heater_generic \(name)"]
    if let known = section?["max_temp"]?.double { return known }
    return name.utf8.starts(with: "extruder".utf8) ? 300 : 120
  }

  /// Whether `celsius` may be a heater's target.
  func allow(_ celsius: Double, for heater: String) -> Bool {
    celsius.isFinite && celsius >= 0 && celsius <= maximum(of: heater)
  }
}
