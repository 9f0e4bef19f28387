internal import ConnectorKit
internal import JSON
internal import Platform

/// What a command of the hub means.
enum HubOrder: Sendable, Hashable {
  /// One command for the gate, or several that belong together, in order.
  case printer([PrinterCommand])
  /// The part fan on where it is off, off where it is on.
  case toggleFan
  /// Restart or turn off the host: its result is told before.
  case farewell(PrinterCommand)
  /// Print a file of the hub's.
  case print(PrintOrder)
  /// Print a file that is on the printer, by the name that the hub was told.
  case printLocal(String)

  /// A file that the hub wants printed.
  struct PrintOrder: Sendable, Hashable {
    /// The hub's name of it.
    var file: String
    /// Where the hub says that it lies.
    var url: String?
    /// Lower-case hex.
    var md5: String?
    /// Lower-case hex.
    var sha256: String?
  }

  /// Reads a command.
  ///
  /// - Throws: `CommandFailure` (`invalid`, `notPermitted`) where it is none that is taken.
  init(_ command: HubCommand, _ rules: OrderRules) throws(CommandFailure) {
    switch command.generation {
    case .v1: self = try HubOrder(action: command.action, command.words, rules)
    case .v2: self = try HubOrder(typed: command.words, rules)
    }
  }

  // MARK: The second hub's types

  private init(typed words: JSONObject, _ rules: OrderRules) throws(CommandFailure) {
    guard let text = words["command"]?.string else {
      throw CommandFailure(.invalid, "command is no text")
    }
    let trimmed = text.trimmed
    switch words["type"]?.string?.lowercased() {
    case "gcode": self = .printer([.gcode(Self.homing(text))])
    case "macro": self = .printer([try Self.macro(line: trimmed)])
    case "basic":
      let mark = "PRINT_FILE:"
      if trimmed.uppercased().hasPrefix(mark) {
        let file = String(trimmed.dropFirst(mark.count))
        guard !file.isEmpty else { throw CommandFailure(.invalid, "file is missing") }
        self = .print(PrintOrder(file: file))
      } else {
        self = try HubOrder(action: trimmed.lowercased(), JSONObject(), rules)
      }
    default: throw CommandFailure(.invalid, "unknown type")
    }
  }

  /// `G28 all`, as the second hub's page writes it, as Klipper reads it.
  private static func homing(_ text: String) -> String {
    guard text.utf8.count <= 8_192 else { return text }
    return text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { line in
        let line = String(Substring(line))
        return line.trimmed.uppercased() == "G28 ALL" ? "G28" : line
      }.joined(separator: "\n")
  }

  /// `NAME KEY=VALUE …`
  private static func macro(line: String) throws(CommandFailure) -> PrinterCommand {
    guard line.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) else {
      throw CommandFailure(.invalid, "that is not one line")
    }
    let words = line.split(separator: " ")
    var params = JSONObject()
    for word in words.dropFirst() {
      guard let sign = word.utf8.firstIndex(of: UInt8(ascii: "=")) else {
        throw CommandFailure(.invalid, "a parameter of a macro is written KEY=VALUE")
      }
      let key = String(word[..<sign])
      guard params[key] == nil else {
        throw CommandFailure(.invalid, "a parameter of the macro stands twice")
      }
      params[key] = .string(String(word[word.utf8.index(after: sign)...]))
    }
    return try macro(words.first.map(String.init), .object(params))
  }

  // MARK: Actions

  private init(
    action: String, _ words: JSONObject, _ rules: OrderRules
  ) throws(CommandFailure) {
    switch action {
    case "home": self = .printer([.home([])])
    case "home_x": self = .printer([.home([.x])])
    case "home_y": self = .printer([.home([.y])])
    case "home_z": self = .printer([.home([.z])])
    case "heat": self = .printer(try Self.heat(words, rules))
    case "cool_down": self = .printer(Self.temperatures(hotend: 0, bed: 0))
    case "pause": self = .printer([.pause])
    case "resume": self = .printer([.resume])
    case "cancel": self = .printer([.cancel])
    case "emergency_stop": self = .printer([.emergencyStop])
    case "set_speed":
      let percent = try Self.percent(words["speed"], "speed", within: rules.speedRange)
      self = .printer([.speed(percent: percent)])
    case "set_flow":
      self = .printer([.flow(percent: try Self.percent(words["flow"], "flow", within: 75...125))])
    case "set_fan":
      let value = try Self.percent(words["speed"], "speed", within: 0...255)
      self = .printer([.fan(Double(value) / 255)])
    case "fan_off": self = .printer([.fan(0)])
    case "toggle_fan": self = .toggleFan
    case "firmware_restart": self = .printer([try Self.dangerous(.restart(.firmware), rules)])
    case "reboot": self = .farewell(try Self.dangerous(.reboot, rules))
    case "shutdown": self = .farewell(try Self.dangerous(.shutdownHost, rules))
    case "gcode":
      guard let text = words["gcode"]?.string else {
        throw CommandFailure(.invalid, "gcode is no text")
      }
      self = .printer([.gcode(text)])
    case "macro":
      self = .printer([try Self.macro(words["macro_name"]?.string, words["params"])])
    case "print": self = .print(try Self.print(words))
    case "print_local":
      guard let name = words["file"]?.string, !name.isEmpty else {
        throw CommandFailure(.invalid, "file is missing")
      }
      self = .printLocal(name)
    default: throw CommandFailure(.invalid, "unknown action")
    }
  }

  private static func heat(
    _ words: JSONObject, _ rules: OrderRules
  ) throws(CommandFailure) -> [PrinterCommand] {
    let hotend = try temperature(words["hotend_temp"], "hotend_temp")
    let bed = try temperature(words["bed_temp"], "bed_temp")
    if hotend == nil, bed == nil {
      return temperatures(hotend: rules.hotendDefault, bed: rules.bedDefault)
    }
    return temperatures(hotend: hotend, bed: bed)
  }

  private static func temperatures(hotend: Double?, bed: Double?) -> [PrinterCommand] {
    [("extruder", hotend), ("heater_bed", bed)].compactMap { heater, celsius in
      celsius.map { .temperature(heater: heater, celsius: $0) }
    }
  }

  /// Nil where none is given.
  private static func temperature(
    _ value: JSONValue?, _ name: String
  ) throws(CommandFailure) -> Double? {
    guard let value, !value.isNull else { return nil }
    // What the heater takes at the most, the gate knows.
    guard let celsius = HubNumber.double(value), (0...1_000).contains(celsius) else {
      throw CommandFailure(.invalid, "\(name) is no temperature")
    }
    return celsius
  }

  private static func percent(
    _ value: JSONValue?, _ name: String, within range: ClosedRange<Double>
  ) throws(CommandFailure) -> Int {
    guard let number = HubNumber.double(value), let whole = Int(exactly: number) else {
      throw CommandFailure(.invalid, "\(name) is no whole number")
    }
    guard range.contains(number) else {
      throw CommandFailure(
        .invalid, "\(name) is not between \(Int(range.lowerBound)) and \(Int(range.upperBound))")
    }
    return whole
  }

  private static func dangerous(
    _ command: PrinterCommand, _ rules: OrderRules
  ) throws(CommandFailure) -> PrinterCommand {
    guard rules.takesDangerous else {
      throw CommandFailure(.notPermitted, "security.dangerous_commands is deny")
    }
    return command
  }

  private static func macro(
    _ name: String?, _ params: JSONValue?
  ) throws(CommandFailure) -> PrinterCommand {
    guard let name, PrinterCommand.isIdentifier(name) else {
      throw CommandFailure(.invalid, "that is not the name of a macro")
    }
    // PHP writes an empty map as a list.
    let members: JSONObject
    switch params {
    case nil, .null?: members = JSONObject()
    case .array(let list)? where list.isEmpty: members = JSONObject()
    case .object(let object)?: members = object
    default: throw CommandFailure(.invalid, "params is no map")
    }
    guard members.count <= 32 else {
      throw CommandFailure(.invalid, "more than 32 parameters of a macro")
    }
    var arguments: [PrinterCommand.MacroArgument] = []
    for (key, value) in members {
      guard let text = text(of: value), let argument = PrinterCommand.MacroArgument(key, text),
        !arguments.contains(where: { $0.name == argument.name })
      else {
        throw CommandFailure(.invalid, "a parameter of the macro cannot be used")
      }
      arguments.append(argument)
    }
    return .macro(name, arguments)
  }

  private static func text(of value: JSONValue) -> String? {
    switch value {
    case .string(let text): text
    case .number(let number): number.spelling
    case .bool(let isTrue): isTrue ? "1" : "0"
    case .null, .array, .object: nil
    }
  }

  private static func print(_ words: JSONObject) throws(CommandFailure) -> PrintOrder {
    guard let file = words["file"]?.string, !file.isEmpty else {
      throw CommandFailure(.invalid, "file is missing")
    }
    let sum = words["md5"]?.string ?? words["checksum"]?.string
    let md5 = try digest(sum, digits: 32)
    return PrintOrder(
      file: file, url: words["download_url"]?.string, md5: md5,
      sha256: try digest(words["sha256"]?.string, digits: 64))
  }

  private static func digest(
    _ text: String?, digits: Int
  ) throws(CommandFailure) -> String? {
    guard let text = text?.trimmed, !text.isEmpty else { return nil }
    let isHex = text.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20)
    }
    guard isHex, text.utf8.count == digits else {
      throw CommandFailure(.invalid, "that is no checksum")
    }
    return text.lowercased()
  }

  // MARK: Its way

  /// Whether it goes at once: neither the rate nor another command holds it back.
  var isUrgent: Bool {
    switch self {
    case .printer([.emergencyStop]), .printer([.pause]), .printer([.cancel]): true
    default: false
    }
  }

  /// Whether it stops everything.
  var isStop: Bool { self == .printer([.emergencyStop]) }

  /// Whether a job runs after it: what a cancel behind it takes out, and a pause behind it means.
  var begins: Bool {
    switch self {
    case .print, .printLocal, .printer([.resume]): true
    default: false
    }
  }

  /// What stands for it at the gate where it is refused before it is known what it would have been.
  var standIn: PrinterCommand {
    switch self {
    case .printer(let commands): commands.first ?? .pause
    case .toggleFan: .fan(0)
    case .farewell(let command): command
    case .print(let order): GCodePath(order.file).map { .start($0, .person) } ?? .pause
    case .printLocal(let name): GCodePath(name).map { .start($0, .person) } ?? .pause
    }
  }
}
