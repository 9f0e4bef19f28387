internal import ConnectorKit
internal import JSON

/// What a slicer must know of the printer, from Klipper's own configuration.
struct MachineShape: Equatable {
  /// One extruder.
  struct Extruder: Equatable {
    /// The nozzle's diameter in mm.
    var nozzle: Double
    /// The filament's diameter in mm.
    var filament: Double
  }
  /// The printable size in mm.
  var width: Double
  var depth: Double
  var height: Double
  /// Whether the bed is round.
  var isRound = false
  /// Whether the middle of the bed is 0, 0.
  var isCentred = false
  var hasHeatedBed = true
  var extruders: [Extruder]
  /// Klipper's limits, mm/s and mm/s²; nil where unknown.
  var maximumSpeed: Double?
  var maximumSpeedZ: Double?
  var maximumAcceleration: Double?
  /// The G-code of the owner's macros, by their names in capitals.
  var macros: [String: String] = [:]

  /// What it reads of the printer.
  static let interest = StatusInterest([
    "toolhead": .named(["axis_minimum", "axis_maximum", "max_velocity", "max_accel"]),
    "configfile": .named(["settings"]),
  ])

  /// The shape of the printer; nil where it has not said its limits.
  init?(of status: PrinterStatus) {
    guard let low = Self.numbers(status.field("toolhead", "axis_minimum")), low.count >= 3,
      let high = Self.numbers(status.field("toolhead", "axis_maximum")), high.count >= 3
    else { return nil }
    let settings = status.field("configfile", "settings")?.object ?? [:]
    let printer = settings["printer"]?.object ?? [:]
    isRound = printer["kinematics"]?.string?.hasSuffix("delta") ?? false
    // Some millimetres below 0 are where the nozzle is cleaned or homed; a third of the bed means that 0 is its middle.
    isCentred = isRound || low[0] < -high[0] / 3 && low[1] < -high[1] / 3
    width = isCentred ? high[0] - low[0] : high[0]
    depth = isCentred ? high[1] - low[1] : high[1]
    height = high[2]
    guard Self.isPlausible(width), Self.isPlausible(depth), Self.isPlausible(height) else {
      return nil
    }
    hasHeatedBed = settings["heater_bed"] != nil
    extruders = (0..<8).map { $0 == 0 ? "extruder" : "extruder\($0)" }
      .prefix { settings[$0] != nil }
      .map { name in
        Extruder(
          nozzle: settings[name]?["nozzle_diameter"]?.double ?? 0.4,
          filament: settings[name]?["filament_diameter"]?.double ?? 1.75)
      }
    if extruders.isEmpty { extruders = [Extruder(nozzle: 0.4, filament: 1.75)] }
    maximumSpeed = status.field("toolhead", "max_velocity")?.double
    maximumAcceleration = status.field("toolhead", "max_accel")?.double
    maximumSpeedZ = printer["max_z_velocity"]?.double
    for (section, content) in settings {
      let words = section.split(separator: " ")
      guard words.count == 2, words[0] == "gcode_macro" else { continue }
      macros[words[1].uppercased()] = content["gcode"]?.string ?? ""
    }
  }

  /// A rectangular bed of this size, with one extruder, of which nothing else is known.
  init?(size text: String) {
    let parts = text.lowercased().split(separator: "x", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Double($0) }
    guard parts.count == 3, numbers.count == 3, numbers.allSatisfy(Self.isPlausible) else {
      return nil
    }
    (width, depth, height) = (numbers[0], numbers[1], numbers[2])
    extruders = [Extruder(nozzle: 0.4, filament: 1.75)]
  }

  /// Whether a side of this many mm can be a printer's.
  private static func isPlausible(_ length: Double) -> Bool {
    length.isFinite && length >= 20 && length <= 5_000
  }

  private static func numbers(_ value: JSONValue?) -> [Double]? {
    guard let items = value?.array else { return nil }
    let numbers = items.compactMap(\.double)
    return numbers.count == items.count ? numbers : nil
  }
}
