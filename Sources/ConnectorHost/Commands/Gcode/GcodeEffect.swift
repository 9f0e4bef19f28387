internal import ConnectorKit

/// What a line of G-code does, as far as a rule depends on it.
enum GcodeEffect: Sendable, Hashable {
  /// Loads or starts a file.
  case start
  /// Starts or goes on, whichever fits (`M24`).
  case startOrResume
  case pause, resume, cancel
  /// Homes.
  case home
  /// Moves, or changes what the moves of a running job mean.
  case movement
  /// Sets a heater's target; the heater by Klipper's name, nil where the line names none that we know.
  case temperature(heater: String, celsius: Double?)
  case fan, speed, flow
  /// Switches power.
  case power
  /// Only asks.
  case query
  /// A macro, by its name in upper case.
  case macro(String)
  /// Anything else.
  case other

  /// The effect of a command word with what follows it.
  static func of(_ word: GcodeWord, _ arguments: GcodeArguments) -> GcodeEffect {
    guard let code = word.classic else { return extended(word.text, arguments) }
    switch (code.letter, code.number) {
    case ("G", 28): return .home
    // A dwell is no movement; every other G word moves or changes what the job's moves mean (G90, G92…).
    case ("G", 4): return .other
    case ("G", _), ("T", _): return .movement
    case ("M", 17), ("M", 18), ("M", 82), ("M", 83), ("M", 84): return .movement
    case ("M", 23), ("M", 26): return .start
    case ("M", 24): return .startOrResume
    case ("M", 25): return .pause
    case ("M", 27), ("M", 105), ("M", 114), ("M", 115), ("M", 119): return .query
    case ("M", 80), ("M", 81): return .power
    case ("M", 104), ("M", 109):
      return .temperature(heater: extruder(arguments), celsius: target(arguments))
    case ("M", 140), ("M", 190):
      return .temperature(heater: "heater_bed", celsius: target(arguments))
    case ("M", 141), ("M", 191):
      return .temperature(heater: "heater_generic chamber", celsius: target(arguments))
    case ("M", 106), ("M", 107): return .fan
    case ("M", 220): return .speed
    case ("M", 221): return .flow
    default: return .other
    }
  }

  private static func extended(_ name: String, _ arguments: GcodeArguments) -> GcodeEffect {
    switch name {
    case "PAUSE": .pause
    case "RESUME": .resume
    case "CANCEL_PRINT": .cancel
    case "SET_HEATER_TEMPERATURE":
      .temperature(
        heater: arguments.named("HEATER")?.lowercased() ?? "",
        celsius: arguments.named("TARGET").map { Double($0) ?? .nan } ?? 0)
    case "SET_TEMPERATURE_FAN_TARGET":
      .temperature(
        heater: arguments.named("TEMPERATURE_FAN")?.lowercased() ?? "",
        celsius: arguments.named("TARGET").map { Double($0) ?? .nan } ?? 0)
    case "TURN_OFF_HEATERS": .temperature(heater: "", celsius: 0)
    case "SET_FAN_SPEED": .fan
    default: .macro(name)
    }
  }

  private static func extruder(_ arguments: GcodeArguments) -> String {
    guard let tool = arguments.letter("T"), tool != 0 else { return "extruder" }
    return Int(exactly: tool).map { "extruder\($0)" } ?? "extruder"
  }

  /// The target of `M104 S210`; `R` of other firmwares counts too. None: Klipper takes it for 0.
  private static func target(_ arguments: GcodeArguments) -> Double? {
    arguments.letter("S") ?? arguments.letter("R") ?? 0
  }
}
