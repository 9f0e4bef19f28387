internal import ConnectorKit
internal import Cryptography

/// A `polar` entry as the rest of the connector uses it: the file's word, else what was entered on the page, else the default.
struct PolarConfiguration: Sendable {
  var server: PolarServer
  var username: String?
  var pin: Secret?
  var machineType: String
  var printerType: String
  var manufacturer: Manufacturer
  var webcamEnabled: Bool
  var maximumImageSize: Int
  /// How pictures are turned; nil: as Moonraker says.
  var orientation: FrameOrientation?
  var printingImageInterval: Duration
  var idleImageInterval: Duration
  var statusInterval: Duration
  var maximumGcodeBytes: Int64
  var keptFiles: Int
  var allowsGcode: Bool
  var makesURL: String
  var isVerbose: Bool

  /// Reads decoded settings and what was entered.
  ///
  /// - Throws: `BackendFailure` (park) where the server's address cannot be used.
  init(_ settings: Settings, entered: EnteredValues) throws(BackendFailure) {
    let url = Self.pick(settings, PolarSettings.serverURL, entered.serverURL)
    guard let server = PolarServer(url) else {
      throw BackendFailure(
        .park, "server_url is no http or https address",
        remedy: "correct server_url, or leave it out")
    }
    self.server = server
    username = settings[PolarSettings.username] ?? entered.username
    pin = settings[PolarSettings.pin] ?? entered.pin
    machineType = Self.pick(settings, PolarSettings.machineType, entered.machineType)
    printerType = Self.pick(settings, PolarSettings.printerType, entered.printerType)
    manufacturer = Manufacturer(
      Self.pick(settings, PolarSettings.manufacturer, entered.manufacturer))
    webcamEnabled = Self.pick(settings, PolarSettings.webcamEnabled, entered.webcamEnabled)
    maximumImageSize = Self.pick(settings, PolarSettings.maximumImageSize, entered.maximumImageSize)
    let isTurned =
      settings.origin(of: PolarSettings.flipHorizontal) != .byDefault
      || settings.origin(of: PolarSettings.flipVertical) != .byDefault
      || settings.origin(of: PolarSettings.rotation) != .byDefault
    orientation =
      isTurned
      ? FrameOrientation(
        rotation: Int(settings[PolarSettings.rotation]) ?? 0,
        flipsHorizontally: settings[PolarSettings.flipHorizontal],
        flipsVertically: settings[PolarSettings.flipVertical]) : nil
    printingImageInterval = settings[PolarSettings.printingImageInterval]
    idleImageInterval = settings[PolarSettings.idleImageInterval]
    statusInterval = Self.pick(
      settings, PolarSettings.statusInterval, entered.statusInterval.map { .seconds($0) })
    maximumGcodeBytes = Int64(settings[PolarSettings.maximumGcodeSize]) << 20
    keptFiles = settings[PolarSettings.keptFiles]
    allowsGcode = settings[PolarSettings.allowGcode]
    makesURL = settings[PolarSettings.makesURL]
    isVerbose = Self.pick(settings, PolarSettings.verbose, entered.isVerbose)
  }

  private static func pick<Value>(
    _ settings: Settings, _ setting: Setting<Value>, _ entered: Value?
  ) -> Value {
    if settings.origin(of: setting) == .byDefault, let entered { return entered }
    return settings[setting]
  }
}

extension PolarConfiguration {
  /// By what the things that a registration is about are known again without being kept.
  var credentials: String {
    let text = [server.origin, username ?? "", pin?.revealed ?? "", manufacturer.rawValue]
      .joined(separator: "\n")
    return Digest.sha256Hex(Array(text.utf8))
  }
}
