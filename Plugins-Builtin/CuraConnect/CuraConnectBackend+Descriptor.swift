package import ConnectorKit

extension CuraConnectBackend {
  package static let descriptor = {
    var descriptor = described
    descriptor.trustedKeys = [
      "listen", "auth", "auto_start", "assume_clear_after", "camera_proxy",
    ]
    descriptor.calledAt = { "http://127.0.0.1:\($0[CuraSettings.advertisePort])/api/v1/system" }
    descriptor.isFoundByMDNS = { $0[CuraSettings.advertise] != "off" }
    return descriptor
  }()

  private static let described = ConnectorDescriptor(
    type: "cura", title: "Cura in your network",
    summary:
      "Lets Ultimaker Cura find the printer in the local network, send prints to it, and show and control its queue within `permissions`.",
    settings: CuraSettings.declarations, reads: reads, commands: commands, sends: sent,
    traffic:
      "Nothing leaves the local network; a Cura that is open asks for 2 kB every two seconds.",
    isInbound: true,
    minimalExample: """
      type: cura
      """,
    tools: [CuraDefinitionTool.declaration], intention: intention)

  /// Only what the two lists show.
  private static let reads = StatusInterest([
    "print_stats": .named(["state", "filename", "print_duration", "total_duration"]),
    "virtual_sdcard": .named(["progress"]),
    "webhooks": .named(["state", "state_message"]),
  ])

  /// What Cura can ask for; the second halves are what one request makes of itself.
  private static let commands = [
    DeclaredCommand("print_jobs", .upload, "Takes a file that Cura has sliced."),
    DeclaredCommand(
      "print_jobs:names", .query, "Looks which names are taken.", permission: .filesList),
    DeclaredCommand(
      "print_jobs:estimate", .query, "Looks how long the file takes.", permission: .filesList),
    DeclaredCommand("print_jobs:start", .start, "Starts it, on a bed that is known to be clear."),
    DeclaredCommand("print_jobs:queue", .queue, "Puts it into the queue."),
    DeclaredCommand("queue", .query, "Looks at the queue."),
    DeclaredCommand("history", .history, "Looks which job has just begun."),
    DeclaredCommand("action:pause", .pause, "Pauses the print."),
    DeclaredCommand("action:resume", .resume, "Goes on with the print."),
    DeclaredCommand("action:cancel", .cancel, "Ends the print."),
    DeclaredCommand("action:print", .start, "Starts a job of the queue."),
    DeclaredCommand("action/move", .queue, "Moves a job within the queue."),
    DeclaredCommand("force", .start, "Prints a job whatever is loaded."),
    DeclaredCommand("auto_start", .start, "Starts what waits, on a bed that is known to be clear."),
    DeclaredCommand("started:queue", .queue, "Takes a job that was started out of the queue."),
    DeclaredCommand("delete", .queue, "Takes a job out of the queue."),
    DeclaredCommand("delete:file", .deleteFile, "Deletes its file, with `delete_files`."),
    DeclaredCommand(
      "preview_image", .query, "Looks for a file's picture.", permission: .filesList),
  ]

  private static func intention(_ settings: Settings) -> String {
    let place = settings[CuraSettings.listen]
    let found =
      switch settings[CuraSettings.advertise] {
      case "avahi": "be found by Cura through Avahi"
      case "static": "write a service file for Avahi"
      default: "be reached by Cura through its address"
      }
    let starts =
      switch settings[CuraSettings.autoStart] {
      case "never": "start nothing by itself"
      case "always": "start what waits whenever the bed is known to be clear"
      default: "start an upload when the bed is known to be clear"
      }
    let assumed =
      settings[CuraSettings.assumeClearAfter] > .zero
      ? ", or assumed to be" : ""
    return "listen at \(place), \(found), \(starts)\(assumed)"
  }
}
