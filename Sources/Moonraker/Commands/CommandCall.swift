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
    case .upload, .backup:
      throw CommandFailure(.invalid, "\(command.kind.rawValue) is no single call to Moonraker")
    }
  }
}
