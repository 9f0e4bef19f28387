internal import ConnectorKit

extension RelayCommand {
  /// Every command that the relay may send, for `explain`.
  static let declared: [DeclaredCommand] = [
    DeclaredCommand(
      "printer.info, printer.objects.query, server.info, server.files.list, …", .query,
      "looks at what Moonraker tells, by a fixed list"),
    DeclaredCommand("printer.print.pause", .pause, "pauses the job"),
    DeclaredCommand("printer.print.resume", .resume, "goes on with the paused job"),
    DeclaredCommand("printer.print.cancel", .cancel, "ends the job"),
    DeclaredCommand("printer.emergency_stop", .emergencyStop, "stops everything at once"),
    DeclaredCommand("printer.print.start", .start, "prints a file"),
    DeclaredCommand("printer.gcode.script", .gcode, "runs G-code that passes the filter"),
    DeclaredCommand("server.job_queue.job, .pause, .jump", .queue, "changes the job queue"),
    DeclaredCommand(
      "server.job_queue.start", .startQueue, "starts the job queue, onto a clear bed only"),
    DeclaredCommand(
      "server.files.gcodes.… with DELETE", .deleteFile,
      "deletes a file; one that it did not bring only with files.delete_any"),
    DeclaredCommand(
      "printer.restart, printer.firmware_restart", .restart, "restarts Klipper"),
    DeclaredCommand("machine.reboot", .reboot, "restarts this host"),
    DeclaredCommand("machine.shutdown", .shutdownHost, "turns this host off"),
    DeclaredCommand("machine.device_power.device, .on, .off", .power, "switches power"),
    DeclaredCommand(
      "the rest of Moonraker's methods", .raw,
      "lamps, services, updates, webcams, file operations below gcodes; never users, keys, sudo or databases"
    ),
  ]
}
