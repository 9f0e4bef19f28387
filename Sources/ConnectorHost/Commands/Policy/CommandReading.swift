internal import ConnectorKit

/// A command whose parameters have been checked, with what it does: what every rule looks at.
struct CommandReading: Sendable {
  /// The command as it is sent: G-code without comments, `G28 XY` with its axes apart.
  let command: PrinterCommand
  /// The lines of a G-code command.
  let lines: [GcodeScript.Line]
  /// What its G-code or its macro does; empty for all other commands.
  let effects: [GcodeEffect]

  /// The command's kind.
  var kind: PrinterCommand.Kind { command.kind }

  /// Whether it sets a heater's target or switches power: what the heaters' limits are asked for.
  var dependsOnHeaters: Bool {
    kind == .power || isRawPower
      || effects.contains { effect in
        switch effect {
        case .temperature, .power: true
        default: false
        }
      }
  }

  private var isRawPower: Bool {
    if case .raw(let request) = command { request.effect == .power } else { false }
  }

  /// Reads a command.
  ///
  /// - Throws: `CommandFailure` (`invalid`) where a parameter is not usable.
  init(_ command: PrinterCommand) throws(CommandFailure) {
    var sent = command
    var lines: [GcodeScript.Line] = []
    var effects: [GcodeEffect] = []
    switch command {
    case .gcode(let text):
      let script = try GcodeScript(text)
      lines = script.lines
      effects = lines.map(\.effect)
      sent = .gcode(script.text)
    case .macro(let name, let arguments):
      guard PrinterCommand.isIdentifier(name), let (word, rest) = GcodeWord.split(name[...]),
        !word.isClassic, rest.isEmpty
      else { throw CommandFailure(.invalid, "that is not the name of a macro") }
      let text = arguments.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
      effects = [GcodeEffect.of(word, GcodeArguments(text[...]))]
    case .temperature(let heater, let celsius):
      try Self.require(Self.isName(heater), "that is not the name of a heater")
      try Self.require(celsius.isFinite && celsius >= 0, "the temperature is out of range")
      effects = [.temperature(heater: heater, celsius: celsius)]
    case .fan(let speed):
      try Self.require((0...1).contains(speed), "the fan's speed must be 0 to 1")
    case .speed(let percent), .flow(let percent):
      try Self.require((1...999).contains(percent), "the factor must be 1 to 999 percent")
    case .history(let limit):
      try Self.require((1...10_000).contains(limit), "the number of jobs must be 1 to 10000")
    case .power(let device, _):
      try Self.require(Self.isName(device), "that is not the name of a power device")
    case .start(let path, _):
      try Self.require(path.isGCode, "that is not a G-code file")
    case .pause, .resume, .cancel, .emergencyStop, .home, .upload, .deleteFile, .listFiles, .backup,
      .restart, .reboot, .shutdownHost, .query, .startQueue, .raw:
      break
    case .queue(let change):
      if case .add(let paths, _) = change {
        try Self.require(paths.allSatisfy(\.isGCode), "that is not a G-code file")
        try Self.require(paths.count <= 100, "more than 100 files")
      }
    }
    self.command = sent
    self.lines = lines
    self.effects = effects
  }

  private static func require(_ holds: Bool, _ problem: String) throws(CommandFailure) {
    if !holds { throw CommandFailure(.invalid, problem) }
  }

  /// Whether `text` can be the name of a section of Klipper's or of a device: nothing in it ends a word or a line.
  private static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.unicodeScalars.allSatisfy {
        $0.properties.isAlphabetic || ("0"..."9").contains($0) || " _-.".unicodeScalars.contains($0)
      }
  }
}
