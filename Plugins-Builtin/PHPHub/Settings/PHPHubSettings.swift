internal import ConnectorKit

/// The settings of a `php-hub` entry, each declared once.
enum PHPHubSettings {
  /// The token that the original's example publishes.
  static let publishedToken = "TECMED_PRINTER_001"

  // MARK: The hub

  static let serverURL = Setting<String>.url(
    "server_url", default: "https://tmeduca.org/printerhub/api.php",
    "The hub: the address of its `api.php` or `update.php`, or the folder that holds them.")

  static let printerToken = Setting<Secret?>.secret(
    "printer_token", example: "a-long-random-text", maximumLength: 128,
    "The token that the hub knows this printer by: 1 to 128 printable ASCII characters.")

  static let printerName = Setting<String?>.optionalString(
    "printer_name", example: "Prusa Lab 3", maximumLength: 200,
    "The printer's name at the hub; `printer.name` where it is left out.")

  static let generation = Setting<String>.choice(
    "generation", default: "auto", of: ["auto", "v1", "v2"],
    "Which hub it is: `api.php` (v1) or `printer-api` (v2); found out by `auto`.")

  static let updateURL = endpoint("update_url", "Where updates go")
  static let commandsURL = endpoint("commands_url", "Where commands are fetched")
  static let filesURL = endpoint("files_url", "Where files are listed and fetched")
  static let imageURL = endpoint("image_url", "Where pictures are uploaded")

  static let imagePublicURL = Setting<String?>.optionalURL(
    "image_public_url", example: "https://hub.example.org/printer_images/lab3.jpg",
    "With v2: the address of the picture that the hub is told, or, with `image_url`, the folder that an upload's answer is relative to."
  )

  // MARK: What is reported

  static let tags = Setting<[String]>.stringList(
    "printer_data.tags", default: ["Prusa", "PLA"], "The printer's tags at the hub.")
  static let filamentMaterial = Setting<String>.string(
    "printer_data.filament.material", default: "PLA", maximumLength: 100,
    "The material of the filament.")
  static let filamentColor = Setting<String>.string(
    "printer_data.filament.color", default: "Negro", maximumLength: 100,
    "The colour of the filament.")
  static let filamentRemaining = Setting<Double>.number(
    "printer_data.filament.remaining", default: 100, range: 0...100, unit: "%",
    "How much of the filament is left.")
  static let bedStatus = Setting<String>.string(
    "printer_data.bed_status", default: "limpia", maximumLength: 100,
    "The state of the bed: the hub's page uses `limpia`, `necesita limpieza`, `calibrar`, `perfecta`."
  )
  static let location = Setting<String>.string(
    "printer_data.location", default: "Lab Principal", maximumLength: 200, "Where the printer is.")
  static let preserveHubEdits = Setting<Bool>.boolean(
    "preserve_hub_edits", default: false,
    "With v1: leave tags, bed status and filament as they are edited on the hub's page.")
  static let sanitizeNames = Setting<Bool>.boolean(
    "sanitize_names", default: true,
    "Put `_` for `<` and `>` in names of files, which the hub's page shows as HTML.")
  static let pausedStatus = Setting<String>.choice(
    "paused_status", default: "printing", of: ["printing", "paused"],
    "With v1: the status of a paused print; with `paused` the page offers to resume it.")
  static let timeRemainingUnit = Setting<String>.choice(
    "time_remaining_unit", default: "auto", of: ["auto", "minutes", "seconds"],
    "The unit of the remaining time; `auto`: minutes for v1, seconds for v2.")
  static let skipUnchanged = Setting<Bool>.boolean(
    "skip_unchanged", default: false,
    "Leave out updates in which nothing has changed, but for one in 20 s.")
  static let reportCommandResults = Setting<Bool>.boolean(
    "report_command_results", default: true,
    "Whether updates carry what became of the last commands.")

  // MARK: Schedule

  static let statusUpdate = Setting<Duration>.duration(
    "intervals.status_update", default: 5, range: .seconds(1) ... .seconds(20),
    "The time between updates.")
  static let commandCheck = Setting<Duration>.duration(
    "intervals.command_check", default: 3, range: .seconds(1) ... .seconds(60),
    "The time between questions for commands.")
  static let serverTimeout = Setting<Duration>.duration(
    "timeouts.server", default: 10, range: timeouts, "How long an answer of the hub may take.")
  static let cameraTimeout = Setting<Duration>.duration(
    "timeouts.camera", default: 5, range: timeouts, "How long one address of the camera may take.")
  static let downloadTimeout = Setting<Duration>.duration(
    "timeouts.file_download", default: 60, range: timeouts,
    "How long nothing may come of a file that is being fetched.")
  static let maxAttempts = Setting<Int>.integer(
    "retries.max_attempts", default: 5, range: 1...20,
    "Failures in a row after which the hub counts as away, and attempts at fetching a file.")
  static let exponentialBackoff = Setting<Bool>.boolean(
    "retries.exponential_backoff", default: true,
    "Whether the wait after a failure doubles each time; else it stays `retries.base_delay`.")
  static let baseDelay = Setting<Duration>.duration(
    "retries.base_delay", default: 2, range: .milliseconds(500) ... .seconds(60),
    "The wait after the first failure.")

  // MARK: Camera

  static let cameraEnabled = Setting<Bool>.boolean(
    "camera.enabled", default: true, "Whether pictures are taken at all.")
  static let cameraURLs = Setting<[String]>.stringList(
    "camera.urls", example: "[\"http://localhost:8080/?action=snapshot\"]",
    "Addresses of single pictures, tried in order; left out: the camera that Moonraker knows.")
  static let captureInterval = Setting<Duration>.duration(
    "camera.capture_interval", default: 30, range: captures,
    "The time between pictures while printing.")
  static let idleCaptureInterval = Setting<Duration>.duration(
    "camera.idle_capture_interval", default: 300, range: .seconds(1) ... .seconds(86_400),
    "The time between pictures otherwise.")
  static let timelapseEnabled = Setting<Bool>.boolean(
    "camera.timelapse_enabled", default: true,
    "Whether pictures of a print are kept on this host's disk.")
  static let timelapseInterval = Setting<Duration>.duration(
    "camera.timelapse_interval", default: 60, range: captures,
    "The time between pictures that are kept.")
  static let timelapseDirectory = Setting<String?>.optionalPath(
    "camera.timelapse_directory", example: "~/printer_data/timelapse",
    "Where they are kept, a folder for each print; `timelapse` beside the folder of G-code files where it is left out."
  )

  // MARK: Files

  static let autoCleanup = Setting<Bool>.boolean(
    "file_management.auto_cleanup", default: true,
    "Whether files that the hub has sent are deleted when they are old; never any others.")
  static let maxAgeDays = Setting<Int>.integer(
    "file_management.max_age_days", default: 30, range: 1...3_650, unit: "days",
    "How old, from the later of its arrival and its last print.")
  static let verifyChecksums = Setting<String>.choice(
    "file_management.verify_checksums", default: "true", of: ["true", "false", "required"],
    "Whether a file's checksum is compared; `required`: a file without one is refused.")
  static let gcodeDirectory = Setting<String?>.optionalPath(
    "file_management.gcode_directory", example: "/home/pi/printer_data/gcodes",
    "Moonraker's folder of G-code files on this host: its disk must have room for a file. Nothing is written there."
  )
  static let allowedDownloadHosts = Setting<[String]>.stringList(
    "file_management.allowed_download_hosts", example: "[\"https://files.example.org\"]",
    "Further origins that files may be fetched from, beside the hub's own.")
  static let markDownloaded = Setting<String>.choice(
    "mark_downloaded", default: "auto", of: ["auto", "always", "never"],
    "Whether the hub is told that a file was fetched: v1 deletes it then; `auto`: with v2 only.")
  static let gcodeSubdirectory = Setting<String>.string(
    "gcode_subdirectory", default: "printerhub", maximumLength: 100,
    "The folder among the printer's G-code files that fetched ones go to.")
  static let maxDownload = Setting<Int>.integer(
    "max_download_mb", default: 100, range: 1...4_096, unit: "MB", "The largest file.")
  static let statisticsFile = Setting<String?>.optionalPath(
    "statistics_file", example: "~/printer_data/logs/printer_state.json",
    "Where `printer_state.json` is written once a minute; in the state directory where it is left out."
  )

  // MARK: Commands

  static let hotendDefault = Setting<Double>.number(
    "heat_defaults.hotend", default: 200, range: 0...500, unit: "°C",
    "The nozzle's target of a `heat` without temperatures.")
  static let bedDefault = Setting<Double>.number(
    "heat_defaults.bed", default: 60, range: 0...200, unit: "°C",
    "The bed's target of a `heat` without temperatures.")
  static let speedMinimum = Setting<Int>.integer(
    "speed_range.minimum", default: 10, range: 1...100, unit: "%",
    "The least speed that the hub may set.")
  static let speedMaximum = Setting<Int>.integer(
    "speed_range.maximum", default: 200, range: 100...999, unit: "%",
    "The greatest speed that the hub may set.")
  static let validateDangerous = Setting<Bool>.boolean(
    "security.validate_dangerous_commands", default: true,
    "Always `true`: what no cloud may send cannot be allowed here.")
  static let dangerousCommands = Setting<String>.choice(
    "security.dangerous_commands", default: "idle_only", of: ["deny", "idle_only", "allow"],
    "Whether restarts of the firmware or the host are taken, at `permissions: full`; never while a job runs."
  )
  static let rateLimit = Setting<Duration>.duration(
    "security.rate_limit_seconds", default: 1, range: .zero ... .seconds(60),
    "The least time between two commands; later ones wait.")

  /// All of them, in the order in which they are shown.
  static let declarations = [
    serverURL.declaration, printerToken.declaration, printerName.declaration,
    generation.declaration, updateURL.declaration, commandsURL.declaration,
    filesURL.declaration, imageURL.declaration, imagePublicURL.declaration,
    tags.declaration, filamentMaterial.declaration, filamentColor.declaration,
    filamentRemaining.declaration, bedStatus.declaration, location.declaration,
    preserveHubEdits.declaration, sanitizeNames.declaration, pausedStatus.declaration,
    timeRemainingUnit.declaration, skipUnchanged.declaration, reportCommandResults.declaration,
    statusUpdate.declaration, commandCheck.declaration, serverTimeout.declaration,
    cameraTimeout.declaration, downloadTimeout.declaration, maxAttempts.declaration,
    exponentialBackoff.declaration, baseDelay.declaration, cameraEnabled.declaration,
    cameraURLs.declaration, captureInterval.declaration, idleCaptureInterval.declaration,
    timelapseEnabled.declaration, timelapseInterval.declaration, timelapseDirectory.declaration,
    autoCleanup.declaration, maxAgeDays.declaration, verifyChecksums.declaration,
    gcodeDirectory.declaration, allowedDownloadHosts.declaration, markDownloaded.declaration,
    gcodeSubdirectory.declaration, maxDownload.declaration, statisticsFile.declaration,
    hotendDefault.declaration, bedDefault.declaration, speedMinimum.declaration,
    speedMaximum.declaration, validateDangerous.declaration, dangerousCommands.declaration,
    rateLimit.declaration,
  ]

  /// Keys of the original that have no counterpart in an entry, with what to write instead.
  static let refused = [
    "moonraker_url": "write printer.moonraker, once for all clouds",
    "logging": "write log.level, log.file, log.max_size_mb and log.backups at the top of the file",
    "auto_update": "remove it: it never did anything; the package manager updates this program",
    "camera.resolution":
      "remove it: pictures come as the camera gives them, and are made smaller where they must be",
    "intervals.health_check": "remove it: every answer of the hub is looked at as it comes",
    "intervals.reconnect_attempt": "write retries.base_delay: it is tried again by itself",
    "timeouts.moonraker": "remove it: one connection to Moonraker serves all clouds",
  ]

  /// The original's spellings of keys that every entry knows.
  static let hostAliases = [
    "security.allowed_macros": "allowed_macros",
    "security.allowed_gcode_patterns": "allowed_gcode_patterns",
    "max_command_age_seconds": "max_command_age",
  ]

  private static let timeouts: ClosedRange<Duration> = .seconds(1) ... .seconds(600)
  private static let captures: ClosedRange<Duration> = .seconds(1) ... .seconds(3_600)

  private static func endpoint(_ key: String, _ purpose: String) -> Setting<String?> {
    .optionalURL(
      key, example: "https://hub.example.org/printerhub/custom.php",
      "\(purpose), where that is not beside `server_url`.")
  }
}
