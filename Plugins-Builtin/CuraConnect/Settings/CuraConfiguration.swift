internal import ConnectorKit
internal import HTTPServer

/// A `cura` entry as the rest of the connector uses it.
struct CuraConfiguration: Sendable {
  /// What starts by itself.
  enum AutoStart: String, Sendable { case never, whenClear = "when_clear", always }
  /// How the printer is made known.
  enum Advertising: String, Sendable { case avahi, `static`, off }

  var listen: HTTPServer.Address
  var name: String
  var instance: String?
  var bom: String
  var machineVariant: String
  var firmwareVersion: String
  var printCores: [String]
  var materials: [LoadedMaterial]
  var advertising: Advertising
  var advertisePort: Int
  var allowed: [NetworkRange]
  /// Whether a person has to approve each Cura.
  var mustPair: Bool
  var autoStart: AutoStart
  /// nil: only a person's word counts.
  var assumeClearAfter: Duration?
  /// Below `gcodes`; nil: `gcodes` itself.
  var uploadFolder: String?
  var maximumUpload: Int64
  var maximumUnpacked: Int64
  var deletesFiles: Bool
  var cameraHost: String?
  var cameraProxy: HTTPServer.Address?
  var allowsGriffin: Bool

  /// Reads decoded settings, which have passed validation.
  ///
  /// - Parameters:
  ///   - entry: the entry's own name, which is the one that is shown unless it is just the type.
  ///   - printerName: the name where neither says one.
  /// - Throws: `BackendFailure` (park) where one cannot be used.
  init(_ settings: Settings, entry: String, printerName: String) throws(BackendFailure) {
    listen = try Self.address(settings[CuraSettings.listen], "listen")
    let name = settings[CuraSettings.name] ?? (entry == "cura" ? printerName : entry)
    self.name = name.isEmpty ? "Klipper" : name
    instance = settings[CuraSettings.instance]
    bom = settings[CuraSettings.bom]
    machineVariant = settings[CuraSettings.machineVariant]
    firmwareVersion = settings[CuraSettings.firmwareVersion]
    let cores = settings[CuraSettings.printCores]
    printCores = cores.isEmpty ? ["AA 0.4"] : cores
    materials = settings[CuraSettings.materials].map { LoadedMaterial($0) }
    advertising = Advertising(rawValue: settings[CuraSettings.advertise]) ?? .avahi
    advertisePort = settings[CuraSettings.advertisePort]
    let ranges = settings[CuraSettings.allow]
    allowed =
      ranges.isEmpty ? NetworkRange.local : ranges.compactMap { NetworkRange($0) }
    mustPair = settings[CuraSettings.auth] == "pair"
    autoStart = AutoStart(rawValue: settings[CuraSettings.autoStart]) ?? .whenClear
    let assumed = settings[CuraSettings.assumeClearAfter]
    assumeClearAfter = assumed > .zero ? assumed : nil
    uploadFolder = settings[CuraSettings.uploadDirectory]
    maximumUpload = Int64(settings[CuraSettings.maximumUpload]) << 20
    maximumUnpacked = Int64(settings[CuraSettings.maximumUnpacked]) << 20
    deletesFiles = settings[CuraSettings.deleteFiles]
    cameraHost = settings[CuraSettings.cameraHost]
    cameraProxy = try settings[CuraSettings.cameraProxy].map { text throws(BackendFailure) in
      try Self.address(text, "camera_proxy")
    }
    allowsGriffin = settings[CuraSettings.allowGriffin]
  }

  private static func address(
    _ text: String, _ key: String
  ) throws(BackendFailure) -> HTTPServer.Address {
    guard let address = ListenPlace.address(text) else {
      throw BackendFailure(
        .park, "\(key) is no address with a port", remedy: "write it like 127.0.0.1:8008")
    }
    return address
  }
}
