package import ConnectorKit
package import JSON

/// The one JSON-RPC call that a command becomes.
///
/// File and device names travel as JSON parameters, never inside of G-code.
package struct CommandCall: Sendable, Hashable {
  /// The JSON-RPC method.
  package var method: String
  /// Its parameters; nil for none.
  package var params: JSONObject?

  private init(_ method: String, _ params: JSONObject? = nil) {
    self.method = method
    self.params = params
  }

  private init(script: String) { self.init("printer.gcode.script", ["script": .string(script)]) }

  /// The call for `command`.
  ///
  /// - Throws: `CommandFailure`, `.invalid`, where a parameter cannot be said to Klipper, and for what is no single call:
  ///   an upload, a backup.
  package init(_ command: PrinterCommand) throws(CommandFailure) {
    switch command {
    case .pause: self.init("printer.print.pause")
    case .resume: self.init("printer.print.resume")
    case .cancel: self.init("printer.print.cancel")
    case .emergencyStop: self.init("printer.emergency_stop")
    case .start(let path, _): self.init("printer.print.start", ["filename": .string(path.text)])
    case .home(let axes): self.init(script: GCodeLine.home(axes))
    case .gcode(let script): self.init(script: script)
    case .macro(let name, let arguments):
      self.init(script: try GCodeLine.macro(name, arguments))
    case .temperature(let heater, let celsius):
      self.init(script: try GCodeLine.temperature(heater: heater, celsius: celsius))
    case .fan(let speed): self.init(script: try GCodeLine.fan(speed))
    case .speed(let percent): self.init(script: try GCodeLine.factor("M220", percent: percent))
    case .flow(let percent): self.init(script: try GCodeLine.factor("M221", percent: percent))
    case .deleteFile(let path):
      self.init("server.files.delete_file", ["path": .string("gcodes/\(path.text)")])
    case .listFiles: self.init("server.files.list", ["root": "gcodes"])
    case .history(let limit):
      self.init(
        "server.history.list", ["limit": .integer(min(max(limit, 1), 1_000)), "order": "desc"])
    case .restart(.klipper): self.init("printer.restart")
    case .restart(.firmware): self.init("printer.firmware_restart")
    case .reboot: self.init("machine.reboot")
    case .shutdownHost: self.init("machine.shutdown")
    case .power(let device, let isOn):
      self.init(
        "machine.device_power.post_device",
        ["device": .string(device), "action": isOn ? "on" : "off"])
    case .query(let request), .raw(let request):
      guard let method = request.rpcMethods.first else {
        throw CommandFailure(.invalid, "that is no method of Moonraker's")
      }
      self.init(method, request.sentArguments)
    case .queue(.add(let paths, let isReset)):
      self.init(
        "server.job_queue.post_job",
        ["filenames": .array(paths.map { .string($0.text) }), "reset": .bool(isReset)])
    case .queue(.remove(let jobs)):
      self.init("server.job_queue.delete_job", ["job_ids": .array(jobs.map { .string($0) })])
    case .queue(.clear): self.init("server.job_queue.delete_job", ["all": true])
    case .queue(.pause): self.init("server.job_queue.pause")
    case .queue(.first(let job)): self.init("server.job_queue.jump", ["job_id": .string(job)])
    case .startQueue: self.init("server.job_queue.start")
    case .upload, .backup:
      throw CommandFailure(.invalid, "\(command.kind.rawValue) is no single call to Moonraker")
    }
  }
}
