package import ConnectorKit

extension PolarCloudBackend {
  package static let descriptor = ConnectorDescriptor(
    type: "polar", title: "the Polar Cloud",
    summary:
      "Shows the printer in the Polar Cloud, with pictures, and prints what is sent from there, within `permissions`.",
    settings: PolarSettings.declarations, reads: reads, commands: declaredCommands, sends: sent,
    traffic:
      "0.3 MB an hour while printing, both directions, without TLS; pictures add at most 150 kB each: 54 MB an hour during a job of the Polar Cloud, 9 MB otherwise.",
    minimalExample: """
      type: polar
      username: maker@example.com
      pin: "1234"
      """, originalAgent: agent, pairingKey: PolarSettings.pin.declaration.key,
    messages: "behind the printer's state, for 5 minutes; only the last one, cut at 120 characters",
    intention: intention)

  /// The cloud's own plugin for Moonraker's hosts.
  static let agent = ServiceAgent(
    program: "polar_cloud.py", stopAdvice: "sudo systemctl disable --now polar_cloud")

  /// Only what a status shows.
  private static let reads: StatusInterest = {
    let heater: StatusInterest.Fields = .named(["temperature", "target"])
    return StatusInterest([
      "extruder": heater, "extruder1": heater, "heater_bed": heater,
      "heater_generic chamber": heater, "heater_chamber": heater,
      "temperature_sensor *": .named(["temperature"]),
      "print_stats": .named([
        "state", "filename", "message", "total_duration", "print_duration", "filament_used",
      ]),
      "virtual_sdcard": .named(["file_position", "file_size"]),
      "webhooks": .named(["state", "state_message"]),
    ])
  }()

  private static let declaredCommands = [
    DeclaredCommand("print", .start, "fetch a job's G-code, store it and print it"),
    DeclaredCommand("pause", .pause, "pause the job"),
    DeclaredCommand("resume", .resume, "go on with the job"),
    DeclaredCommand("cancel", .cancel, "end the job"),
    DeclaredCommand("temperature", .temperature, "set a heater's target"),
    DeclaredCommand("command", .gcode, "run G-code that somebody typed; only with allow_gcode"),
    DeclaredCommand("clean_up", .deleteFile, "delete the files of former jobs beyond keep_files"),
  ]

  private static func intention(_ settings: Settings) -> String {
    let url = settings[PolarSettings.serverURL]
    let host = PolarServer(url)?.host ?? url
    let account =
      settings[PolarSettings.username] == nil
      ? "with the registration that is stored, or what is entered on the page"
      : "as a printer of the configured account"
    let pictures = settings[PolarSettings.webcamEnabled] ? ", with pictures" : ""
    return "connect to \(host) \(account)\(pictures)"
  }
}
