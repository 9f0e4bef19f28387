/// How hot a heater may be made, and which heaters there are. A pure value.
struct HeaterLimits: Sendable, Hashable {
  /// The highest target by section of Klipper's configuration, °C; nil: Klipper has not told.
  private let maxima: [String: Double]?

  /// Nothing that Klipper has told.
  static let unknown = HeaterLimits(nil)

  /// Limits by Klipper's sections; nil: not known.
  init(_ maxima: [String: Double]?) { self.maxima = maxima }

  /// Whether Klipper has told them.
  var isKnown: Bool { maxima != nil }

  /// The heaters of this printer; where Klipper has not told, those that a printer has.
  var heaters: [String] { maxima?.keys.filter(Self.isHeater) ?? ["extruder", "heater_bed"] }

  /// Whether an object or a section of Klipper's, in lower case, is a heater with a temperature and a target.
  static func isHeater(_ name: String) -> Bool {
    if name == "heater_bed" || name.utf8.starts(with: "heater_generic ".utf8) { return true }
    guard name.utf8.starts(with: "extruder".utf8) else { return false }
    return name.utf8.dropFirst("extruder".utf8.count).allSatisfy(GcodeWord.isDigit)
  }

  /// The highest target of a heater, °C: what Klipper's own configuration says where it is known, else 300 for an
  /// extruder and 120 for all others.
  func maximum(of heater: String) -> Double {
    let name = heater.lowercased()
    for section in [name, "heater_generic \(name)", "temperature_fan \(name)"] {
      if let known = maxima?[section] { return known }
    }
    return name.utf8.starts(with: "extruder".utf8) ? 300 : 120
  }

  /// Whether `celsius` may be a heater's target.
  func allow(_ celsius: Double, for heater: String) -> Bool {
    celsius.isFinite && celsius >= 0 && celsius <= maximum(of: heater)
  }
}
