internal import ConnectorKit
internal import JSON
internal import Platform

/// What we tell PrintDock of ourselves when we pair.
struct PairingRequest: Sendable {
  var token: Secret
  var siteName: String?
  var uiPort: Int
  var printerName: String
  var hostName: String
  /// As `uname -m` says it.
  var machine: String
  var address: String?

  /// The request for this host.
  init(token: Secret, settings: Settings, printerName: String) {
    self.token = token
    siteName = settings[PrintDockSettings.siteName]
    uiPort = settings[PrintDockSettings.uiPort]
    self.printerName = printerName
    hostName = HostInformation.hostName
    machine = HostInformation.machine
    address = HostInformation.firstIPv4Address
  }

  /// The body. What is empty is left out, but for the printer's name.
  var body: [UInt8] {
    var device = JSONObject()
    if !hostName.isEmpty { device["hostname"] = .string(hostName) }
    device["arch"] = .string(Self.architecture(of: machine))
    device["os"] = "linux"
    device["version"] = .string(Product.version)
    device["ip"] = address.map { .string($0) }
    device["ui_port"] = .integer(uiPort)

    var object = JSONObject()
    object["pairing_token"] = .string(token.revealed)
    if let siteName, !siteName.isEmpty { object["site_name"] = .string(siteName) }
    object["device"] = .object(device)
    object["printers"] = [["name": .string(printerName), "ui_port": .integer(uiPort)]]
    return JSONValue.object(object).serialized()
  }

  /// The name that PrintDock knows for a processor.
  static func architecture(of machine: String) -> String {
    switch machine {
    case "x86_64": "amd64"
    case "aarch64", "arm64": "arm64"
    case "armv6l", "armv7l", "armv8l": "arm"
    case "mips": "mipsle"
    case "i386", "i486", "i586", "i686": "386"
    default: machine
    }
  }
}
