internal import ConnectorKit

extension RelayCommand {
  /// The commands that the relay may send, for `explain`: each with a name of its own, and one of each kind of the others.
  static let declared: [DeclaredCommand] = [
    DeclaredCommand(
      "printer.objects.query", .query,
      "looks at the printer and its host; so do printer.info, server.info, machine.proc_stats …"),
    DeclaredCommand("server.files.list", .query, "looks at your files", permission: .filesList),
    DeclaredCommand("server.history.list", .query, "looks at your prints", permission: .history),
    DeclaredCommand("server.webcams.list", .query, "looks for cameras", permission: .camera),
    DeclaredCommand("printer.print.pause", .pause, "pauses the job"),
    DeclaredCommand("printer.print.resume", .resume, "goes on with the paused job"),
    DeclaredCommand("printer.print.cancel", .cancel, "ends the job"),
    DeclaredCommand("printer.emergency_stop", .emergencyStop, "stops everything at once"),
    DeclaredCommand("printer.print.start", .start, "prints a file"),
    DeclaredCommand("printer.gcode.script", .gcode, "runs G-code that passes the filter"),
    DeclaredCommand("server.job_queue.job", .queue, "changes the job queue; so do .pause, .jump"),
    DeclaredCommand(
      "server.job_queue.start", .startQueue, "starts the job queue, onto a clear bed only"),
    DeclaredCommand(
      "server.files.gcodes.NAME", .deleteFile,
      "deletes a file; one that it did not bring only with files.delete_any"),
    DeclaredCommand("printer.restart", .restart, "restarts Klipper"),
    DeclaredCommand(
      "printer.firmware_restart", .restart, "restarts Klipper and its micro-controllers"),
    DeclaredCommand("machine.reboot", .reboot, "restarts this host"),
    DeclaredCommand("machine.shutdown", .shutdownHost, "turns this host off"),
    DeclaredCommand("machine.device_power.device", .power, "switches power; so do .on, .off"),
    DeclaredCommand("machine.services.restart", .raw, "restarts a service", permission: .restart),
    DeclaredCommand("machine.services.stop", .raw, "stops a service", permission: .shutdown),
    DeclaredCommand("machine.update.full", .raw, "updates this host's programs"),
    DeclaredCommand(
      "machine.wled.on", .raw, "switches a lamp; so for the rest of Moonraker's methods"),
  ]
}
