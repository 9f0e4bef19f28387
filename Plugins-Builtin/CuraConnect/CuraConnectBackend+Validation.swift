package import ConnectorKit
internal import Networking

extension CuraConnectBackend {
  /// Checks what the declarations cannot say. Pure.
  package static func validate(_ settings: Settings) -> [Finding] {
    var findings: [Finding] = []
    func error(_ key: String, _ problem: String, _ remedy: String) {
      findings.append(Finding(.error, key: key, problem, remedy: remedy))
    }
    func warning(_ key: String, _ problem: String, _ remedy: String) {
      findings.append(Finding(.warning, key: key, problem, remedy: remedy))
    }
    if ListenPlace.address(settings[CuraSettings.listen]) == nil {
      error("listen", "this is no address with a port", "write it like 127.0.0.1:8008")
    }
    if let place = settings[CuraSettings.cameraProxy], ListenPlace.address(place) == nil {
      error("camera_proxy", "this is no address with a port", "write it like 0.0.0.0:8080")
    }
    for range in settings[CuraSettings.allow] where NetworkRange(range) == nil {
      error("allow", "\(range) is no network", "write networks like 192.168.1.0/24")
    }
    if !isPartNumber(settings[CuraSettings.bom]) {
      error("bom", "a part number has digits only, or digits with a point", "write it like 9066")
    }
    let isOwnNumber = settings[CuraSettings.bom] != "9066"
    let isOwnVariant = settings[CuraSettings.machineVariant] != "Ultimaker 3"
    if isOwnNumber != isOwnVariant {
      warning(
        isOwnNumber ? "bom" : "machine_variant",
        "bom and machine_variant name two definitions, between which Cura offers to switch",
        "set both: printer-uplink cura-definition says how")
    }
    let version = settings[CuraSettings.firmwareVersion]
    let parts = version.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      .map { Int(Substring($0)) }
    if parts.count != 3 || parts.contains(nil) {
      error("firmware_version", "this is no version", "write it like 7.1.0")
    } else if let major = parts[0], major < 4 {
      error(
        "firmware_version", "Cura does not connect to a printer below 4.0.0",
        "write 7.1.0, or leave it out")
    }
    if let folder = settings[CuraSettings.uploadDirectory], GCodePath(folder) == nil {
      error("upload_dir", "this is no folder below gcodes", "write it like cura or cura/new")
    }
    for key in [CuraSettings.instance, CuraSettings.name] {
      if let text = settings[key], text.isEmpty || text.utf8.count > 63 || hasControls(text) {
        error(key.declaration.key, "a name has 1 to 63 bytes", "choose a shorter one")
      }
    }
    if let host = settings[CuraSettings.cameraHost], IPAddress(literal: host) == nil {
      error(
        "camera_host", "Cura needs an address here, not a name", "write it like 192.168.1.30")
    }
    if settings[CuraSettings.assumeClearAfter] > .zero {
      warning(
        "assume_clear_after",
        "a print may start although the last one still lies on the bed",
        "leave it out, and say printer-uplink bed-cleared when the bed is empty")
    }
    return findings
  }

  private static func isPartNumber(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".")
      }
  }

  private static func hasControls(_ text: String) -> Bool {
    text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
  }
}
