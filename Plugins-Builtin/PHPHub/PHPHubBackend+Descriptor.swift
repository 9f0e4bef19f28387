package import ConnectorKit
internal import Networking

extension PHPHubBackend {
  package static let descriptor = ConnectorDescriptor(
    type: "php-hub", title: "a PHP hub",
    summary:
      "Shows the printer in a school's PHP hub (TecMedHub, printerhub), and lets the hub control it within `permissions`.",
    settings: PHPHubSettings.declarations, reads: reads, commands: declaredCommands, sends: sent,
    traffic:
      "about 1.5 MB an hour to the hub and 0.5 MB back, at the default intervals, without TLS and pictures.",
    minimalExample: """
      type: php-hub
      server_url: https://hub.example.org/printerhub/api.php
      printer_token: a-long-random-text
      """,
    refusedKeys: PHPHubSettings.refused, hostAliases: PHPHubSettings.hostAliases,
    patternsReplaceUsual: true, originalAgent: agent,
    pairingKey: PHPHubSettings.printerToken.declaration.key, intention: intention)

  /// The hub's own client.
  static let agent = ServiceAgent(
    program: "klipper_client.py",
    stopAdvice:
      "sudo systemctl disable --now klipper-client (or whatever starts klipper_client.py here)")

  private static let reads: StatusInterest = {
    let heater: StatusInterest.Fields = .named(["temperature", "target"])
    return StatusInterest([
      "extruder": heater, "heater_bed": heater, "fan": .named(["speed"]),
      "gcode_move": .named(["speed_factor"]),
      "print_stats": .named(["state", "filename", "print_duration"]),
      "virtual_sdcard": .named(["progress"]), "display_status": .named(["progress"]),
      "webhooks": .named(["state", "state_message"]),
    ])
  }()

  private static func intention(_ settings: Settings) -> String {
    let server = settings[PHPHubSettings.serverURL].withoutQuery
    let generation = settings[PHPHubSettings.generation]
    let which = generation == "auto" ? "" : " (\(generation))"
    let seconds = settings[PHPHubSettings.statusUpdate].components.seconds
    return "report to \(server)\(which) every \(seconds) s and take its commands"
  }

  private static let declaredCommands = [
    DeclaredCommand("home", .home, "homes all axes (home_x, home_y, home_z: one)"),
    DeclaredCommand("heat", .temperature, "heats nozzle and bed (cool_down: switches both off)"),
    DeclaredCommand("pause", .pause, "pauses the running print"),
    DeclaredCommand("resume", .resume, "goes on with the paused print"),
    DeclaredCommand("cancel", .cancel, "ends the running or paused print"),
    DeclaredCommand("emergency_stop", .emergencyStop, "stops everything at once"),
    DeclaredCommand("print", .start, "fetches a file from the hub and prints it"),
    DeclaredCommand("print_local", .start, "prints a file that is on the printer"),
    DeclaredCommand("set_speed", .speed, "sets the speed factor"),
    DeclaredCommand("set_flow", .flow, "sets the extrusion factor"),
    DeclaredCommand("set_fan", .fan, "sets the part fan (toggle_fan, fan_off too)"),
    DeclaredCommand("gcode", .gcode, "runs lines of G-code that pass the filter"),
    DeclaredCommand("macro", .macro, "runs a macro named in allowed_macros"),
    DeclaredCommand("firmware_restart", .restart, "restarts Klipper and its micro-controllers"),
    DeclaredCommand("reboot", .reboot, "restarts the host"),
    DeclaredCommand("shutdown", .shutdownHost, "turns the host off"),
  ]
}
