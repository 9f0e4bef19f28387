internal import ConnectorKit

/// A `php-hub` entry as the rest of the connector uses it.
struct HubConfiguration: Sendable {
  /// Whether and how checksums are compared.
  enum Checksums: String, Sendable { case off = "false", known = "true", required }

  /// What the hub is told of the printer, whatever it does.
  struct Card: Sendable {
    var name: String
    var tags: [String]
    var material: String
    var color: String
    var remaining: Double
    var bedStatus: String
    var location: String
  }

  var token: Secret
  var card: Card
  var sanitizesNames: Bool
  var pausedStatus: String
  var timeUnit: String
  var skipsUnchanged: Bool
  var preservesEdits: Bool
  var reportsResults: Bool
  var statusInterval: Duration
  var commandInterval: Duration
  var serverTimeout: Duration
  var cameraTimeout: Duration
  var downloadTimeout: Duration
  var maxAttempts: Int
  var backoff: RetryPolicy
  var camera: CameraRules?
  var imagePublicURL: String?
  var files: FileRules
  var orders: OrderRules
  var rateLimit: Duration
  var statisticsFile: String?

  /// Reads decoded settings.
  ///
  /// - Throws: `BackendFailure` (park) where there is no token.
  init(_ settings: Settings, printerName: String) throws(BackendFailure) {
    guard let token = settings[PHPHubSettings.printerToken], Self.isToken(token.revealed) else {
      throw BackendFailure(
        .park, "printer_token is missing or no token", remedy: Self.tokenRemedy)
    }
    self.token = token
    card = Card(
      name: settings[PHPHubSettings.printerName] ?? printerName,
      tags: settings[PHPHubSettings.tags],
      material: settings[PHPHubSettings.filamentMaterial],
      color: settings[PHPHubSettings.filamentColor],
      remaining: settings[PHPHubSettings.filamentRemaining],
      bedStatus: settings[PHPHubSettings.bedStatus], location: settings[PHPHubSettings.location])
    sanitizesNames = settings[PHPHubSettings.sanitizeNames]
    pausedStatus = settings[PHPHubSettings.pausedStatus]
    timeUnit = settings[PHPHubSettings.timeRemainingUnit]
    skipsUnchanged = settings[PHPHubSettings.skipUnchanged]
    preservesEdits = settings[PHPHubSettings.preserveHubEdits]
    reportsResults = settings[PHPHubSettings.reportCommandResults]
    statusInterval = settings[PHPHubSettings.statusUpdate]
    commandInterval = settings[PHPHubSettings.commandCheck]
    serverTimeout = settings[PHPHubSettings.serverTimeout]
    cameraTimeout = settings[PHPHubSettings.cameraTimeout]
    downloadTimeout = settings[PHPHubSettings.downloadTimeout]
    maxAttempts = settings[PHPHubSettings.maxAttempts]
    backoff = RetryPolicy(
      base: settings[PHPHubSettings.baseDelay],
      doubles: settings[PHPHubSettings.exponentialBackoff])
    camera = CameraRules(settings)
    imagePublicURL = settings[PHPHubSettings.imagePublicURL]
    files = FileRules(settings)
    orders = OrderRules(settings)
    rateLimit = settings[PHPHubSettings.rateLimit]
    statisticsFile = settings[PHPHubSettings.statisticsFile]
  }

  /// Whether `text` can be a token: 1…128 printable ASCII characters.
  static func isToken(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
  }

  static let tokenRemedy =
    "set a token of your own as printer_token: long, random, printable ASCII, one for each printer"
}

/// When a picture is taken, and where.
struct CameraRules: Sendable, Hashable {
  /// Addresses of single pictures; empty: the webcam service's own.
  var urls: [String]
  var interval: Duration
  var idleInterval: Duration
  /// nil: none is kept.
  var timelapseInterval: Duration?
  /// nil: beside the G-code files.
  var timelapseDirectory: String?

  /// Nil: no pictures.
  init?(_ settings: Settings) {
    guard settings[PHPHubSettings.cameraEnabled] else { return nil }
    urls = settings[PHPHubSettings.cameraURLs]
    interval = settings[PHPHubSettings.captureInterval]
    idleInterval = settings[PHPHubSettings.idleCaptureInterval]
    timelapseInterval =
      settings[PHPHubSettings.timelapseEnabled] ? settings[PHPHubSettings.timelapseInterval] : nil
    timelapseDirectory = settings[PHPHubSettings.timelapseDirectory]
  }
}

/// How files come to the printer, and how they go again.
struct FileRules: Sendable, Hashable {
  var cleansUp: Bool
  var maxAge: Duration
  var checksums: HubConfiguration.Checksums
  var gcodeDirectory: String?
  var allowedHosts: [String]
  var markDownloaded: String
  var subdirectory: String
  var maximumBytes: Int64

  init(_ settings: Settings) {
    cleansUp = settings[PHPHubSettings.autoCleanup]
    maxAge = .seconds(settings[PHPHubSettings.maxAgeDays] * 86_400)
    checksums =
      HubConfiguration.Checksums(rawValue: settings[PHPHubSettings.verifyChecksums]) ?? .known
    gcodeDirectory = settings[PHPHubSettings.gcodeDirectory]
    allowedHosts = settings[PHPHubSettings.allowedDownloadHosts]
    markDownloaded = settings[PHPHubSettings.markDownloaded]
    subdirectory = settings[PHPHubSettings.gcodeSubdirectory]
    maximumBytes = Int64(settings[PHPHubSettings.maxDownload]) << 20
  }
}

/// What decides how a command of the hub is read.
struct OrderRules: Sendable, Hashable {
  var hotendDefault: Double
  var bedDefault: Double
  var speedRange: ClosedRange<Double>
  /// Whether restarts of the firmware and the host are handed to the gate at all.
  var takesDangerous: Bool

  init(_ settings: Settings) {
    hotendDefault = settings[PHPHubSettings.hotendDefault]
    bedDefault = settings[PHPHubSettings.bedDefault]
    let minimum = settings[PHPHubSettings.speedMinimum]
    let maximum = max(minimum, settings[PHPHubSettings.speedMaximum])
    speedRange = Double(minimum)...Double(maximum)
    takesDangerous = settings[PHPHubSettings.dangerousCommands] != "deny"
  }
}
