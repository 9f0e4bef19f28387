internal import JSON

extension PrinterCommand {
  /// The command that a request to Moonraker is: named by its effect where it has a name, a look, or raw.
  ///
  /// - Throws: `CommandFailure`: `notPermitted` for what is never taken from a cloud, `invalid` where an argument is missing
  ///   or cannot be used.
  package init(_ request: MoonrakerRequest) throws(CommandFailure) {
    switch request.effect {
    case .never:
      throw CommandFailure(.notPermitted, "\(request.path) is never taken from a cloud")
    case .read: self = .query(request)
    case .files, .restart, .stop, .disturbing, .calm: self = .raw(request)
    case .power: self = Self.power(request) ?? .raw(request)
    case .named: self = try Self.named(request)
    }
  }

  private static func named(_ request: MoonrakerRequest) throws(CommandFailure) -> PrinterCommand {
    if request.parts.starts(with: ["server", "files", "gcodes"]) {
      guard let path = GCodePath(request.parts.dropFirst(3).joined(separator: "/")) else {
        throw CommandFailure(.invalid, "that is not a path below gcodes")
      }
      return .deleteFile(path)
    }
    switch request.path {
    case "printer.print.pause", "printer.pause_resume.pause": return .pause
    case "printer.print.resume", "printer.pause_resume.resume": return .resume
    case "printer.print.cancel", "printer.pause_resume.cancel": return .cancel
    case "printer.emergency_stop": return .emergencyStop
    case "printer.print.start":
      guard let path = request.text("filename").flatMap({ GCodePath($0) }) else {
        throw CommandFailure(.invalid, "filename is missing, or no path below gcodes")
      }
      return .start(path, .person)
    case "printer.gcode.script":
      guard let script = request.text("script") else {
        throw CommandFailure(.invalid, "script is missing, or no text")
      }
      return .gcode(script)
    case "printer.restart", "printer.gcode.restart": return .restart(.klipper)
    case "printer.firmware_restart", "printer.gcode.firmware_restart": return .restart(.firmware)
    case "machine.reboot": return .reboot
    case "machine.shutdown": return .shutdownHost
    case "server.job_queue.start": return .startQueue
    case "server.job_queue.pause": return .queue(.pause)
    case "server.job_queue.jump":
      guard let job = request.text("job_id"), isJobID(job) else {
        throw CommandFailure(.invalid, "job_id is missing, or no text")
      }
      return .queue(.first(job))
    case "server.job_queue.job" where request.method == .delete:
      if request.isSet("all") { return .queue(.clear) }
      guard let jobs = request.texts("job_ids"), !jobs.isEmpty, jobs.allSatisfy(isJobID) else {
        throw CommandFailure(.invalid, "job_ids is missing, or no list of texts")
      }
      return .queue(.remove(jobs))
    case "server.job_queue.job":
      guard request.method == .post, let names = request.texts("filenames"), !names.isEmpty else {
        throw CommandFailure(.invalid, "filenames is missing, or no list of texts")
      }
      let paths = names.compactMap { GCodePath($0) }
      guard paths.count == names.count else {
        throw CommandFailure(.invalid, "filenames holds what is no path below gcodes")
      }
      return .queue(.add(paths, isReset: request.isSet("reset")))
    default:
      throw CommandFailure(.notPermitted, "\(request.path) is not known")
    }
  }

  /// One device, on or off.
  private static func power(_ request: MoonrakerRequest) -> PrinterCommand? {
    switch request.path {
    case "machine.device_power.device" where request.method == .post:
      guard let device = request.text("device"), let action = request.text("action"),
        ["on", "off"].contains(action)
      else { return nil }
      return .power(device: device, isOn: action == "on")
    case "machine.device_power.on", "machine.device_power.off":
      guard request.arguments.count == 1, let device = request.arguments.keys.first else {
        return nil
      }
      return .power(device: device, isOn: request.path == "machine.device_power.on")
    default: return nil
    }
  }

  private static func isJobID(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }
}
