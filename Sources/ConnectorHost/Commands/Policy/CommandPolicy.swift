internal import ConnectorKit

/// What the far side of one backend may do. A pure value: it looks at a command and says yes or no.
struct CommandPolicy: Sendable, Hashable {
  /// The permissions of its entry.
  let permissions: Set<Permission>
  /// The macros that the owner named, in upper case.
  let allowedMacros: Set<String>
  /// The G-code patterns in force.
  let patterns: [GlobPattern]
  /// Whether they may allow more than the usual ones.
  let mayWiden: Bool
  /// How old a command may be that moves or heats.
  let maximumCommandAge: Duration
  /// Whether a start by a person needs a clear bed too.
  let requiresClearBed: Bool

  /// The patterns that need no setting: classic codes.
  static let usualPatterns = ["G*", "M*", "T*"]
  static let defaultPatterns = usualPatterns.map { GlobPattern($0) }

  /// Whether `pattern` can match classic codes of the usual three letters only.
  static func staysWithinUsual(_ pattern: String) -> Bool {
    let bytes = Array(pattern.uppercased().utf8)
    guard let letter = bytes.first, "GMT".utf8.contains(letter), bytes.count > 1 else {
      return false
    }
    return (bytes.count == 2 && bytes[1] == UInt8(ascii: "*")) || GcodeWord.isDigit(bytes[1])
  }

  /// A policy.
  ///
  /// - Parameters:
  ///   - gcodePatterns: further patterns; they count only together with `gcode.any`.
  ///   - replacesUsual: whether they stand for the usual ones instead; without `gcode.any` a word must match those too.
  init(
    permissions: Set<Permission>, allowedMacros: [String] = [], gcodePatterns: [String] = [],
    replacesUsual: Bool = false, maximumCommandAge: Duration = .seconds(120),
    requiresClearBed: Bool = false
  ) {
    self.permissions = permissions
    self.allowedMacros = Set(allowedMacros.map { $0.uppercased() })
    let written = gcodePatterns.map { GlobPattern($0) }
    mayWiden = permissions.contains(.gcodeAny)
    patterns = replacesUsual ? written : Self.defaultPatterns + (mayWiden ? written : [])
    self.maximumCommandAge = maximumCommandAge
    self.requiresClearBed = requiresClearBed
  }

  /// The policy of an entry of the configuration.
  init(_ entry: BackendConfiguration, requiresClearBed: Bool) {
    self.init(
      permissions: entry.permissions, allowedMacros: entry.allowedMacros,
      gcodePatterns: entry.allowedGcodePatterns,
      replacesUsual: entry.patternsReplaceUsual, maximumCommandAge: entry.maximumCommandAge,
      requiresClearBed: requiresClearBed)
  }

  /// Whether an emergency stop is allowed: asked before anything else is looked at.
  var allowsEmergencyStop: Bool { permissions.contains(.emergencyStop) }

  /// Checks whether a command is allowed, whatever the printer does now.
  ///
  /// - Parameters:
  ///   - status: for what `M24` means.
  ///   - limits: how hot the heaters may be made.
  /// - Throws: `CommandFailure` with the reason to refuse it.
  func check(
    _ reading: CommandReading, _ status: PrinterStatus, limits: HeaterLimits = .unknown
  ) throws(CommandFailure) {
    switch reading.command {
    case .gcode:
      try require(anyOf: [.gcode, .gcodeAny])
      for line in reading.lines { try check(line, status, limits) }
    case .macro(let name, _):
      try refuseDangerous(GcodeWord(macro: name))
      try requireMacro(name.uppercased())
      for effect in reading.effects { try checkEffect(effect, status, limits) }
    case .temperature:
      try require(.temperature)
      for effect in reading.effects { try checkEffect(effect, status, limits) }
    case .deleteFile:
      try require(anyOf: [.filesDeleteOwn, .filesDeleteAny])
    case .query(let request):
      guard case .read(let permission) = request.effect else {
        throw CommandFailure(.notPermitted, "\(request.path) does not only look")
      }
      try require(permission)
    case .raw(let request):
      try checkRaw(request)
    case .pause, .resume, .cancel, .emergencyStop, .start, .home, .fan, .speed, .flow, .upload,
      .listFiles, .history, .backup, .restart, .reboot, .shutdownHost, .power, .queue,
      .startQueue:
      try require(reading.kind.permission)
    }
  }

  /// What has a command of its own is never sent raw, and what is never taken is never sent.
  private func checkRaw(_ request: MoonrakerRequest) throws(CommandFailure) {
    switch request.effect {
    case .power: try require(.power)
    case .restart: try require(.restart)
    case .stop: try require(.shutdown)
    case .files:
      if request.method == .delete { try require(.filesDeleteAny) }
      try require(.raw)
    case .disturbing, .calm: try require(.raw)
    case .never, .named, .read:
      throw CommandFailure(.notPermitted, "\(request.path) is never sent as it comes")
    }
  }

  private func check(
    _ line: GcodeScript.Line, _ status: PrinterStatus, _ limits: HeaterLimits
  ) throws(CommandFailure) {
    try refuseDangerous(line.word)
    let isUsual = mayWiden || Self.defaultPatterns.contains { $0.matches(line.word) }
    let isNamed = isUsual && patterns.contains { $0.matches(line.word) }
    if !line.word.isClassic, !isNamed { try requireMacro(line.word.text) }
    guard isNamed || !line.word.isClassic else {
      throw CommandFailure(.notPermitted, "the G-code \(line.word.text) is not allowed")
    }
    try checkEffect(line.effect, status, limits)
  }

  private func checkEffect(
    _ effect: GcodeEffect, _ status: PrinterStatus, _ limits: HeaterLimits
  ) throws(CommandFailure) {
    switch effect {
    case .start: try require(.start)
    case .startOrResume: try require(status.printState == "paused" ? .resume : .start)
    case .pause: try require(.pause)
    case .resume: try require(.resume)
    case .cancel: try require(.cancel)
    case .home: try require(.home)
    case .temperature(let heater, let celsius):
      try require(.temperature)
      guard let celsius, limits.allow(celsius, for: heater) else {
        let maximum = limits.maximum(of: heater)
        throw CommandFailure(.invalid, "the temperature is not between 0 and \(maximum) °C")
      }
    case .fan: try require(.fan)
    case .speed: try require(.speed)
    case .flow: try require(.flow)
    case .power: try require(.power)
    case .movement, .query, .macro, .other: break
    }
  }

  private func requireMacro(_ name: String) throws(CommandFailure) {
    if permissions.contains(.macroAny) { return }
    guard permissions.contains(.macro), allowedMacros.contains(name) else {
      throw CommandFailure(.notPermitted, "\(name) is not in allowed_macros")
    }
  }

  private func refuseDangerous(_ word: GcodeWord) throws(CommandFailure) {
    guard !ForbiddenWords.contain(word) else {
      throw CommandFailure(.notPermitted, "\(word.text) is never taken from a cloud")
    }
  }

  private func require(_ permission: Permission) throws(CommandFailure) {
    try require(anyOf: [permission])
  }

  private func require(anyOf wanted: [Permission]) throws(CommandFailure) {
    guard wanted.contains(where: permissions.contains) else {
      let names = wanted.map(\.rawValue).joined(separator: " or ")
      throw CommandFailure(.notPermitted, "its permissions do not hold \(names)")
    }
  }
}
