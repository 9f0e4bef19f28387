package import ConnectorKit
internal import Networking

extension PolarCloudBackend {
  /// Checks what the declarations cannot say. Pure.
  package static func validate(_ settings: Settings) -> [Finding] {
    var findings: [Finding] = []
    let url = settings[PolarSettings.serverURL]
    if let parts = URLParts(url), !["", "/"].contains(parts.path) {
      findings.append(
        Finding(
          .warning, key: "server_url", "the path \(parts.path) is not used",
          remedy: "write scheme, host and, where needed, port only"))
    }
    let hasName = settings[PolarSettings.username] != nil
    let hasPIN = settings[PolarSettings.pin] != nil
    if let name = settings[PolarSettings.username], !name.contains("@") {
      findings.append(
        Finding(
          .error, key: "username", "this is no e-mail address",
          remedy: "write the e-mail address of your Polar Cloud account"))
    }
    if let pin = settings[PolarSettings.pin]?.revealed,
      !(4...8).contains(pin.utf8.count) || !pin.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    {
      findings.append(
        Finding(
          .warning, key: "pin", "a PIN of the Polar Cloud has 4 to 8 digits",
          remedy: "write it in quotes, so that leading zeros stay: pin: \"0123\""))
    }
    if hasName != hasPIN {
      findings.append(
        Finding(
          .warning, key: hasName ? "username" : "pin",
          hasName
            ? "without pin this works only if the printer is registered already"
            : "without username the PIN is not used",
          remedy: "write both, or enter both on the page at /polar-cloud/"))
    }
    return findings
  }
}
