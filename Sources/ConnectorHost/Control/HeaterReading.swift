internal import ConnectorKit
internal import JSON

/// One temperature of the printer, for display.
struct HeaterReading: Sendable, Hashable {
  /// Klipper's name: `extruder`, `heater_generic chamber`.
  var object: String
  /// For people: `Extruder`, `Bed`, `chamber`.
  var title: String
  /// °C; nil where unknown.
  var temperature: Double?
  /// °C; nil where it is only measured.
  var target: Double?

  /// All temperatures in `status`: extruders first, then the bed, then the rest by name.
  static func all(in status: PrinterStatus) -> [HeaterReading] {
    status.objects.keys.compactMap { Self($0, in: status) }
      .sorted { ($0.rank, $0.object) < ($1.rank, $1.object) }
  }

  private init?(_ object: String, in status: PrinterStatus) {
    let words = object.split(separator: " ", maxSplits: 1)
    guard let kind = words.first, status.field(object, "temperature") != nil else { return nil }
    self.object = object
    switch kind {
    case "heater_bed": title = "Bed"
    case "heater_generic", "temperature_sensor", "temperature_fan":
      title = String(words.last ?? kind)
    case _ where kind.hasPrefix("extruder"):
      let number = kind.dropFirst("extruder".count)
      title = number.isEmpty ? "Extruder" : "Extruder \(number)"
    // Stepper drivers and other objects measure themselves as well; nobody looks for that here.
    default: return nil
    }
    temperature = status.field(object, "temperature")?.double
    target = status.field(object, "target")?.double
  }

  private var rank: Int {
    if object.hasPrefix("extruder") { return 0 }
    return object == "heater_bed" ? 1 : 2
  }
}
