internal import ConnectorKit
internal import JSON

/// Whether a command fits what the printer does now. Klipper checks hardly any of this itself.
struct StateCheck: Sendable {
  /// The printer as it may be trusted now.
  let status: PrinterStatus
  /// For which heaters there are.
  var limits = HeaterLimits.unknown
  /// Whether a start has been sent whose job does not show yet: then there is something to cancel.
  var isStarting = false

  /// Above this a heater counts as hot, °C.
  static let hot = 50.0

  /// Checks the printer's state.
  ///
  /// - Throws: `CommandFailure` (`notConnected` or `wrongState`).
  func check(_ reading: CommandReading) throws(CommandFailure) {
    switch reading.command {
    case .emergencyStop: break
    case .listFiles, .history, .deleteFile, .backup, .query, .queue: try requireMoonraker()
    case .upload(let path): try checkWritable(path.kept ?? path)
    case .pause: try require("printing", "nothing is being printed")
    case .resume: try require("paused", "no job is paused")
    case .cancel: try requireJob()
    case .start, .startQueue: try requireIdle()
    case .raw(let request): try check(request)
    case .home: try requireNoJob()
    case .temperature, .fan, .speed, .flow: try requireReady()
    case .gcode, .macro:
      try requireReady()
      for effect in reading.effects { try check(effect) }
    case .restart, .reboot, .shutdownHost: try requireNothingToLose()
    case .power(_, let isOn):
      try requireNothingToLose()
      if !isOn || status.klippy == .ready { try requireCold() }
    }
  }

  private func check(_ request: MoonrakerRequest) throws(CommandFailure) {
    switch request.effect {
    case .power:
      try requireNothingToLose()
      // All but several that are switched on may switch something off.
      let isOn = request.path == "machine.device_power.on"
      if !isOn || status.klippy == .ready { try requireCold() }
    case .files, .restart, .stop, .disturbing: try requireNothingToLose()
    case .never, .read, .named, .calm: try requireMoonraker()
    }
  }

  /// Checks that a file may be put there: not over the one that is being printed.
  ///
  /// - Throws: `CommandFailure` (`notConnected` or `wrongState`).
  func checkWritable(_ path: GCodePath) throws(CommandFailure) {
    try requireMoonraker()
    guard !(isJobOn && currentFile == path.text) else {
      throw CommandFailure(.wrongState, "the file is being printed")
    }
  }

  private func check(_ effect: GcodeEffect) throws(CommandFailure) {
    switch effect {
    case .start: try requireIdle()
    case .startOrResume: if status.printState != "paused" { try requireIdle() }
    case .pause: try require("printing", "nothing is being printed")
    case .resume: try require("paused", "no job is paused")
    case .cancel: try requireJob()
    case .home, .movement: try requireNoJob()
    case .power:
      try requireNothingToLose()
      try requireCold()
    case .temperature, .fan, .speed, .flow, .query, .macro, .other: break
    }
  }

  /// The file of the present job; what is left over from the last one when there is none.
  var currentFile: String? { status.field("print_stats", "filename")?.string }

  /// Whether a job runs or is paused, as far as we know: also while Moonraker is away.
  var isJobOn: Bool {
    status.klippy != .shutdown && status.klippy != .error
      && (status.printState == "printing" || status.printState == "paused")
  }

  private func requireMoonraker() throws(CommandFailure) {
    guard status.link == .connected else {
      throw CommandFailure(.notConnected, "the printer is not connected")
    }
  }

  private func requireReady() throws(CommandFailure) {
    try requireMoonraker()
    switch status.klippy {
    case .ready: break
    case .disconnected: throw CommandFailure(.notConnected, "Klipper is not connected")
    case .startup, .error, .shutdown:
      throw CommandFailure(.wrongState, "Klipper is in state \(status.klippy.rawValue)")
    }
    guard status.isCurrent, status.printState != nil else {
      throw CommandFailure(.notConnected, "the printer does not tell its state")
    }
  }

  private func require(_ state: String, _ problem: String) throws(CommandFailure) {
    try requireReady()
    guard status.printState == state else { throw CommandFailure(.wrongState, problem) }
  }

  private func requireJob() throws(CommandFailure) {
    try requireReady()
    guard isJobOn || isStarting else { throw CommandFailure(.wrongState, "no job is running") }
  }

  private func requireNoJob() throws(CommandFailure) {
    try requireReady()
    guard !isJobOn else { throw CommandFailure(.wrongState, "a job is running") }
  }

  private func requireIdle() throws(CommandFailure) {
    try requireNoJob()
    guard let state = status.printState,
      ["standby", "complete", "error", "cancelled"].contains(state)
    else { throw CommandFailure(.wrongState, "the printer is not idle") }
  }

  /// For what ends Klipper or the host: allowed while Klipper is down, which is what it is for.
  private func requireNothingToLose() throws(CommandFailure) {
    try requireMoonraker()
    guard status.klippy == .ready else { return }
    try requireNoJob()
  }

  /// What is not known counts as hot: without power its fan stands still.
  private func requireCold() throws(CommandFailure) {
    // Klipper's sections are in lower case, its objects as they were written.
    let objects = Dictionary(
      status.objects.map { ($0.key.lowercased(), $0.value) },
      uniquingKeysWith: { first, _ in first })
    let heaters = Set(limits.heaters).union(objects.keys.filter(HeaterLimits.isHeater))
    for name in heaters.sorted() {
      guard status.isCurrent, let temperature = objects[name]?["temperature"]?.double,
        let target = objects[name]?["target"]?.double
      else {
        throw CommandFailure(
          .wrongState, "the temperature of \(name) is not known, so it counts as hot")
      }
      if temperature > Self.hot || target > 0 {
        throw CommandFailure(.wrongState, "\(name) is hot")
      }
    }
  }

  /// Whether what `command` wanted is reached, looked at when its answer did not come in time.
  func isReached(_ command: PrinterCommand) -> Bool {
    guard status.link == .connected, status.klippy == .ready, status.isCurrent else { return false }
    switch command {
    case .pause: return status.printState == "paused"
    case .resume: return status.printState == "printing"
    case .cancel: return status.printState.map { $0 != "printing" && $0 != "paused" } ?? false
    case .start(let path, _): return isJobOn && currentFile == path.text
    case .temperature(let heater, let celsius):
      return status.field(heater, "target")?.double == celsius
    // Axes that were homed before count as homed all the while: that says nothing.
    case .home, .fan, .speed, .flow, .gcode, .macro, .upload, .deleteFile, .listFiles, .history,
      .backup, .restart, .reboot, .shutdownHost, .power, .emergencyStop, .query, .queue,
      .startQueue,
      .raw:
      return false
    }
  }
}
